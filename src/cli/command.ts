import { parseArgs } from 'node:util';
import { SekaliError } from '../errors.ts';
import { envOf, flagOf, readSettings, type Settings, type Values } from '../settings.ts';

/** A command of the CLI: one file each in this directory. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Arguments that are no flags, as `FILE…`. */
  readonly operands?: string;
  readonly settings: Settings;
  /** @returns the exit code */
  run(context: CommandContext): Promise<number>;
}

export interface CommandContext {
  readonly flags: ReadonlyMap<string, string | true>;
  readonly operands: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a run ended with. CLI users may rely on them. */
export const EXIT = {
  ok: 0,
  /** It ran, and what it found or did is not as it should be. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was done. */
  usage: 2,
  /** What was asked for does not exist. */
  notFound: 3,
} as const;

/** Splits a command line; what the flags mean is checked with the settings, so that all problems come at once. */
export function parseCommandLine(args: readonly string[], settings: Settings): Omit<CommandContext, 'env'> {
  const options = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [
      flagOf(name),
      {
        type: setting.kind.isSwitch ? ('boolean' as const) : ('string' as const),
        isList: setting.kind.isList === true,
      },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string | true>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const known = options[token.name];
    if (known?.type === 'string' && token.value === undefined) {
      throw new SekaliError('config_invalid', `--${token.name} needs a value`);
    }
    const before = known?.isList === true ? flags.get(token.name) : undefined;
    flags.set(token.name, before === undefined ? (token.value ?? true) : `${before},${token.value}`);
  }
  return { flags, operands };
}

/**
 * The settings of a command.
 *
 * @throws SekaliError `config_invalid` with every problem
 */
export function commandSettings<S extends Settings>(settings: S, { flags, env }: CommandContext): Values<S> {
  const { values, problems } = readSettings(settings, { flags, env });
  if (problems.length > 0) throw new SekaliError('config_invalid', problems.join('\n'), { problems });
  return values;
}

/** @throws SekaliError `config_invalid` unless there are as many operands as named */
export function operandsOf(context: CommandContext, ...names: string[]): string[] {
  const { operands } = context;
  if (operands.length === names.length) return [...operands];
  const wanted = names.length === 0 ? 'no argument' : names.join(' ');
  throw new SekaliError(
    'config_invalid',
    `expected ${wanted}, got ${operands.length === 0 ? 'none' : operands.join(' ')}`,
  );
}

export function helpOf({ name, summary, operands, settings }: Command): string {
  const rows = Object.entries(settings).map(([key, setting]) => {
    const flag = `--${flagOf(key)}${setting.form ? ` ${setting.form}` : ''}`;
    const fallback =
      setting.fallback === undefined || setting.fallback === false
        ? ''
        : ` [${JSON.stringify(setting.fallback)}]`;
    const env = setting.flagOnly ? '' : ` (${envOf(key, setting).join(', ')})`;
    return `  ${flag}\n      ${setting.meaning}${fallback}${env}`;
  });
  return `sekali ${name}${operands ? ` ${operands}` : ''}\n\n${summary}\n\n${rows.join('\n')}\n`;
}
