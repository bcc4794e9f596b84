import type { Kind } from '../../settings.ts';

/** Where events are posted to. The server sends no name and password to a webhook either. */
export const targetUrl: Kind<string | undefined> = {
  isSwitch: false,
  read(given) {
    const url = URL.parse(given);
    const isFit =
      url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    return isFit
      ? { value: url.href }
      : { rule: 'a URL without name and password, as http://localhost:3000/hooks' };
  },
};
