import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

test('every test that the guarantees name as their proof exists', () => {
  const guide = readFileSync('docs/guides/guarantees.md', 'utf8');
  const proofs = [...guide.matchAll(/\*((?:test|src)\/\S+\.ts): "([^"]+)"\*/g)];
  assert.ok(proofs.length >= 20, `only ${proofs.length} proofs were found`);
  for (const [, file = '', name = ''] of proofs) {
    assert.ok(readFileSync(file, 'utf8').includes(name), `${file} has no test "${name}"`);
  }
});
