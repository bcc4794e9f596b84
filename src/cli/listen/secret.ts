import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeSecret } from '../../deliver/webhooks/secrets.ts';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import type { Kind } from '../../settings.ts';

/** As of Standard Webhooks, "Signature scheme": a prefix, and base64 of the key. */
const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const secretKind: Kind<string | undefined> = {
  isSwitch: false,
  read: (given) => (SECRET.test(given) ? { value: given } : { rule: 'whsec_ and base64' }),
};

/**
 * The secret of this user, in a file that nobody else may read. Made when there is none, so that a receiver is told it once and not each
 * time.
 *
 * @throws SekaliError `config_invalid` when it can be neither read nor kept
 */
export function keptSecret(env: Readonly<Record<string, string | undefined>>): string {
  const path = join(stateDir(env), 'sekali', 'listen-secret');
  try {
    return read(path) ?? keep(path, makeSecret());
  } catch (error) {
    if (error instanceof SekaliError) throw error;
    throw new SekaliError(
      'config_invalid',
      `no secret can be kept: ${messageOf(error)}. One can be given: --webhook-secret, SEKALI_WEBHOOK_SECRET`,
      { cause: error },
    );
  }
}

/** Where programs keep what they need next time (XDG Base Directory Specification). A relative path is to be passed over. */
function stateDir(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['XDG_STATE_HOME'];
  return given?.startsWith('/') ? given : join(env['HOME'] || homedir(), '.local', 'state');
}

function read(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (SECRET.test(text)) return text;
  throw new SekaliError('config_invalid', `${path} holds no secret: without the file, another one is made`);
}

/** Written aside and then linked: of two that begin at once, both have the secret of the first, and never half of it. */
function keep(path: string, secret: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, `${secret}\n`, { mode: 0o600 });
  try {
    linkSync(aside, path);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return read(path) ?? secret;
  } finally {
    rmSync(aside, { force: true });
  }
}
