/** Packs the package, looks at it with publint, installs it into an empty directory and uses it as a user would. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dir = mkdtempSync(join(tmpdir(), 'sekali-package-'));
try {
  run('npm', ['run', 'build', '--silent'], process.cwd());
  run('publint', ['--strict'], process.cwd());
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir], process.cwd());
  writeFileSync(join(dir, 'package.json'), '{"private":true,"type":"module"}');
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz')) ?? '';
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', join(dir, tarball)], dir);
  run(process.execPath, ['node_modules/sekali/bin/sekali.js', '--version'], dir);
  for (const [name, text] of Object.entries({ 'use-it.js': useIt(), 'test-with-it.js': testWithIt() })) {
    writeFileSync(join(dir, name), text);
    run(process.execPath, [name], dir);
  }
  writeFileSync(join(dir, 'typed.ts'), typedUse());
  run('tsc', ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', 'typed.ts'], dir);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** Starts a server by the public surface, publishes with the client, and asks for what it has. */
function useIt(): string {
  return `
    import { createLog, loadConfig, startServer } from 'sekali';
    import { Sekali } from 'sekali/client';
    import { diskSpool } from 'sekali/client/spool';
    const config = loadConfig({ flags: new Map([['port', '0'], ['data', 'data'], ['log-level', 'silent']]), env: {} });
    const server = await startServer(config, createLog(config));
    const client = new Sekali({ url: server.url });
    const event = { topic: 't', event_id: '1', timestamp: '2026-01-31T12:00:00Z', source: 's', payload: {} };
    await client.publish([event, event]);
    const out = client.publisher({ spool: diskSpool('spool') });
    await out.send('t', event);
    await out.close();
    const { unique_processed, duplicate_dropped } = await client.stats();
    await server.stop();
    if (unique_processed !== 1 || duplicate_dropped !== 2) throw new Error('the package does not work');
    console.log('the packed package works');
  `;
}

/** Starts what is for the tests of others, loses an answer, and ends by itself. */
function testWithIt(): string {
  return `
    import { Sekali } from 'sekali/client';
    import { startSekali } from 'sekali/testing';
    await using sekali = await startSekali();
    const failure = sekali.failNext({ how: 'answer_lost' });
    const { verdict } = await new Sekali({ url: sekali.url, source: 's' }).publish('t', { payload: {} });
    const events = await sekali.events('t');
    if (verdict !== 'duplicate' || events.length !== 1 || failure.left !== 0) throw new Error('sekali/testing does not work');
    console.log('the packed sekali/testing works');
  `;
}

/** What its types must allow, with no other package installed, and what they must refuse. */
function typedUse(): string {
  return `
    import { startSekali, type FailureOptions, type TestSekali } from 'sekali/testing';
    const failure: FailureOptions = { how: 'answer_lost', times: Infinity };
    export async function use(): Promise<number> {
      await using sekali: TestSekali = await startSekali({ apiKey: 'k', dedupWindow: { orders: '24h' } });
      const { left } = sekali.failNext(failure);
      const [event] = await sekali.events();
      // @ts-expect-error there is no such option
      await startSekali({ data: 'x' });
      return left + (event?.position ?? 0);
    }
  `;
}

function run(program: string, args: readonly string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: 'inherit' });
}
