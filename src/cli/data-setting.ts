import { type Settings, text } from '../settings.ts';

/** For commands that work on the files of a store, with or without a server on them. */
export const DATA_SETTINGS = {
  data: {
    kind: text,
    fallback: './data',
    form: 'DIR',
    meaning: 'Directory of the store, as of sekali serve.',
  },
} as const satisfies Settings;
