import { SekaliError } from '../../errors.ts';
import { flagOf, type Settings } from '../../settings.ts';
import type { CommandContext } from '../command.ts';

/**
 * For a command that does one of several things: a flag of another one would be passed over, so it is refused.
 *
 * @throws SekaliError `config_invalid`
 */
export function refuseFlags({ flags }: CommandContext, settings: Settings, what: string): void {
  const unfit = Object.keys(settings)
    .map(flagOf)
    .filter((flag) => flags.has(flag));
  if (unfit.length === 0) return;
  const shown = unfit.map((flag) => `--${flag}`).join(', ');
  throw new SekaliError('config_invalid', `${shown} ${unfit.length === 1 ? 'is' : 'are'} for ${what} only`);
}
