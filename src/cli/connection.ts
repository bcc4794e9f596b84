import type { SekaliOptions } from '../client/options.ts';
import { Sekali } from '../client/sekali.ts';
import { type Kind, optionalText, type Settings, type Values } from '../settings.ts';

const httpUrl: Kind<string> = {
  isSwitch: false,
  read(given) {
    const isHttp = /^https?:$/.test(URL.parse(given)?.protocol ?? '');
    return isHttp ? { value: given } : { rule: 'a URL, as http://127.0.0.1:8080' };
  },
};

/** Settings of every command that talks to a server. */
export const CONNECTION_SETTINGS = {
  url: {
    kind: httpUrl,
    fallback: 'http://127.0.0.1:8080',
    form: 'URL',
    meaning: 'Where the server is.',
    olderEnv: ['TARGET_URL'],
  },
  key: {
    kind: optionalText,
    fallback: undefined,
    form: 'KEY',
    meaning: 'The API key of the server.',
    olderEnv: ['SEKALI_API_KEY'],
    secret: true,
  },
} as const satisfies Settings;

export function connect(
  { url, key }: Values<typeof CONNECTION_SETTINGS>,
  options: Omit<SekaliOptions, 'url' | 'key'> = {},
): Sekali {
  // TARGET_URL used to name the address to post to.
  return new Sekali({ url: url.replace(/\/publish\/?$/, ''), key, ...options });
}
