/**
 * Holds `sekali/client` to what it says of itself: no module but its own and those of the protocol, nothing of Node, and below 12 kB when it
 * is bundled, minified and compressed. To be run when the program is built.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { bundleClient } from './bundle-client.ts';

const GZIP_BYTES_MAX = 12_000;

const { code, modules } = await bundleClient();
for (const file of modules) checkModule(file);
const bytes = gzipSync(code, { level: 9 }).length;
process.stdout.write(
  `sekali/client: ${modules.length} modules, ${code.length} bytes minified, ${bytes} compressed\n`,
);
if (bytes >= GZIP_BYTES_MAX)
  throw new Error(`sekali/client must be below ${GZIP_BYTES_MAX} bytes, compressed`);

function checkModule(file: string): void {
  if (!/^dist\/(client|protocol)\//.test(file)) throw new Error(`sekali/client must not import ${file}`);
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
  const found = /\bnode:|\bBuffer\.|\brequire\(/.exec(text);
  if (found) throw new Error(`${file} of sekali/client uses ${found[0]}, which browsers have not`);
}
