import { integer, optionalText, type Settings } from '../settings.ts';

/** Where a command that follows events begins, and which it wants. */
export const FOLLOW_SETTINGS = {
  source: {
    kind: optionalText,
    fallback: undefined,
    form: 'SOURCE',
    meaning: 'Only events of this source.',
    flagOnly: true,
  },
  after: {
    kind: integer(0, Number.MAX_SAFE_INTEGER),
    fallback: undefined as number | undefined,
    form: 'POSITION',
    meaning:
      'Begin after this position; 0 is before the first event. Without it, with what is stored from now on.',
    flagOnly: true,
  },
} as const satisfies Settings;
