import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { finished, ON_TERMINAL, runCli, startCli } from '../support/process.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('sekali demo', () => {
  test('takes every step, and every expectation holds', async (t) => {
    const dir = tempDir(t);
    // Settings for a server of one's own do not reach the one of the demo.
    const env = { TMPDIR: dir, SEKALI_API_KEY: 'secret', DATABASE_URL: 'postgres://elsewhere' };
    const { code, stdout, stderr } = await runCli(['demo', '--all'], { env });
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.match(/^\d\. /gm), ['1. ', '2. ', '3. ', '4. ', '5. ', '6. ', '7. ']);
    assert.match(
      stdout,
      /✓ unique_processed +expected 13,000 +saw 13,000\n {3}✓ duplicate_dropped +expected 7,000 +saw 7,000\n/,
    );
    assert.match(stdout, /✓ events lost +expected 0 +saw 0\n {3}✓ events stored twice +expected 0 +saw 0\n/);
    assert.match(stdout, /\n✓ all \d+ expectations held\n$/);
    assert.ok(!stdout.includes('✗'));
    assert.deepEqual(readdirSync(dir), []);
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`leaves neither a server nor data behind when ${signal} ends it`, async (t) => {
      const dir = tempDir(t);
      const child = startCli(['demo'], { env: { TMPDIR: dir } });
      let serverPid = 0;
      createInterface({ input: child.stdout! }).on('line', (line) => {
        serverPid ||= Number(/\(process (\d+)\)/.exec(line)?.[1] ?? 0);
        if (line.startsWith('6. ')) child.kill(signal);
      });
      const { code, stderr } = await finished(child);
      assert.deepEqual([code, stderr], [exitCode, '']);
      assert.deepEqual(readdirSync(dir), []);
      assert.ok(serverPid > 0);
      assert.throws(() => process.kill(serverPid, 0), { code: 'ESRCH' });
    });
  }

  test('offers a menu on a terminal, and steps can be taken in any order', async (t) => {
    const dir = tempDir(t);
    const { code, stdout } = await runCli(['demo'], {
      env: { TMPDIR: dir, ...ON_TERMINAL },
      input: '4\n1\n4\nq\n',
    });
    assert.equal(code, 0, stdout);
    const shown = stripVTControlCharacters(stdout);
    assert.deepEqual(shown.match(/^\d\. .*/gm), ['4. A conflict', '1. One event', '4. A conflict']);
    assert.match(shown, /✓ all 22 expectations held/);
    assert.deepEqual(readdirSync(dir), []);
  });

  test('fails when its server does not start', async (t) => {
    const missing = `${tempDir(t)}/not-there`;
    const { code, stderr } = await runCli(['demo', '--all'], { env: { TMPDIR: missing } });
    assert.equal(code, 1);
    assert.match(stderr, /^sekali: .*ENOENT.*\n$/);
  });
});
