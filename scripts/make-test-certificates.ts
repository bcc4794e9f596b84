/**
 * Makes the certificates in test/support/tls anew, by which tests speak TLS to a receiver of webhooks. They are kept in the repository, for
 * Node makes none, and not every machine has `openssl`. Nothing outside of the tests trusts them: their keys are no secret.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const OUT = resolve(import.meta.dirname, '../test/support/tls');
const DAYS = '36500';
const work = mkdtempSync(join(tmpdir(), 'sekali-certificates-'));

makeAuthority();
makeSigned('localhost', 'localhost');
makeSigned('elsewhere', 'elsewhere.example');
makeSelfSigned('self-signed', 'localhost');
rmSync(work, { recursive: true });

function makeAuthority(): void {
  makeKey(join(work, 'ca.key'));
  const paths = { '-key': join(work, 'ca.key'), '-out': join(OUT, 'test-ca.pem') };
  const what = { '-subj': '/CN=Sekali tests only', '-addext': 'keyUsage=critical,keyCertSign' };
  openssl('req -x509', { ...paths, ...what, '-days': DAYS });
}

/** A certificate of the authority for a host, and its key. */
function makeSigned(file: string, host: string): void {
  const key = join(OUT, `${file}.key`);
  const [request, extensions] = [join(work, `${file}.csr`), join(work, `${file}.ext`)];
  makeKey(key);
  openssl('req -new', { '-key': key, '-subj': `/CN=${host}`, '-out': request });
  writeFileSync(extensions, `subjectAltName=DNS:${host}\nbasicConstraints=CA:FALSE\n`);
  const authority = { '-CA': join(OUT, 'test-ca.pem'), '-CAkey': join(work, 'ca.key') };
  const paths = { '-in': request, '-extfile': extensions, '-out': join(OUT, `${file}.pem`) };
  openssl('x509 -req -CAcreateserial', {
    ...authority,
    ...paths,
    '-CAserial': join(work, 'serial'),
    '-days': DAYS,
  });
}

function makeSelfSigned(file: string, host: string): void {
  const key = join(OUT, `${file}.key`);
  makeKey(key);
  const what = { '-subj': `/CN=${host}`, '-addext': `subjectAltName=DNS:${host}` };
  openssl('req -x509', { '-key': key, ...what, '-days': DAYS, '-out': join(OUT, `${file}.pem`) });
}

function makeKey(file: string): void {
  openssl('genpkey -algorithm EC', { '-pkeyopt': 'ec_paramgen_curve:P-256', '-out': file });
}

function openssl(command: string, options: Readonly<Record<string, string>>): void {
  const args = [...command.split(' '), ...Object.entries(options).flat()];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
