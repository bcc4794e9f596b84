/**
 * Holds `sekali/client` to what it says of itself: no module but its own and those of the protocol, nothing of Node, and below 12 kB when it
 * is minified and compressed. To be run when the program is built.
 *
 * The size is that of all its modules behind one another, without their imports: what a bundler makes of them, but for a few bytes.
 */
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { minify } from '@swc/core';

const GZIP_BYTES_MAX = 12_000;
const ROOT = resolve('dist');

const modules = new Map<string, string>();
const INDEX = resolve(ROOT, 'client/index.js');
collect(INDEX);
// What users may import stays; the rest may go, as in a bundle.
const names = [...readFileSync(INDEX, 'utf8').matchAll(/^export \{([^}]*)\}/gm)].map(([, list]) => list);
const { code } = await minify(`${[...modules.values()].join('\n')}\nexport { ${names.join(', ')} };`, {
  module: true,
  compress: true,
  mangle: { toplevel: true },
});
const bytes = gzipSync(code, { level: 9 }).length;
process.stdout.write(
  `sekali/client: ${modules.size} modules, ${code.length} bytes minified, ${bytes} compressed\n`,
);
if (bytes >= GZIP_BYTES_MAX)
  throw new Error(`sekali/client must be below ${GZIP_BYTES_MAX} bytes, compressed`);

function collect(file: string): void {
  if (modules.has(file)) return;
  const text = readFileSync(file, 'utf8');
  modules.set(file, '');
  for (const [, specifier = ''] of text.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)';/gm)) {
    const target = resolve(dirname(file), specifier);
    if (!specifier.startsWith('.') || !/^(client|protocol)\//.test(relative(ROOT, target)))
      throw new Error(`${relative(ROOT, file)} of sekali/client must not import ${specifier}`);
    collect(target);
  }
  const found = /\bnode:|\bBuffer\.|\brequire\(/.exec(text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, ''));
  if (found)
    throw new Error(`${relative(ROOT, file)} of sekali/client uses ${found[0]}, which browsers have not`);
  modules.set(
    file,
    text.replaceAll(/^import\s[^;]*;|^export \{[^}]*\}( from '[^']+')?;|^export (?=\w)/gm, ''),
  );
}
