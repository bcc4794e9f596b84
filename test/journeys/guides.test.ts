/** The examples of the README and of the guides to publishing, to subscriptions and to testing run as they stand. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { WireStoredEvent } from '../../src/protocol/wire.ts';
import { commandsOf } from '../support/documents.ts';
import { makeEvents } from '../support/make-events.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const URL_OF_GUIDES = 'http://127.0.0.1:8080';

async function startWithEvents(t: TestContext): Promise<ServerProcess> {
  const env = { SEKALI_WEBHOOK_ALLOW: '127.0.0.1' };
  const server = await startServerProcess(t, { dataDir: tempDir(t), env });
  const events = makeEvents(5).map((event) => ({ ...event, topic: 'orders.eu' }));
  await server.client().publish(events);
  return server;
}

/** The first `ts` block of a document. */
function codeOf(guide: string): string {
  return /^```ts\n(.*?)^```$/ms.exec(readFileSync(guide, 'utf8'))?.[1] ?? '';
}

/** Runs the example of a guide, against this server. @returns what it prints, line by line */
async function runExample(t: TestContext, guide: string, server: ServerProcess): Promise<string[]> {
  return await exampleOf(t, guide, server)();
}

/** The example of a guide, to be run once or more often in one directory. */
function exampleOf(t: TestContext, guide: string, { url }: ServerProcess): () => Promise<string[]> {
  const code = codeOf(guide);
  assert.ok(code.includes(URL_OF_GUIDES));
  const dir = tempDir(t);
  const file = join(dir, 'example.ts');
  const client = resolve('src/client/index.ts');
  const spool = resolve('src/client/disk-spool/index.ts');
  writeFileSync(
    file,
    code
      .replaceAll(URL_OF_GUIDES, url)
      .replaceAll("'sekali/client'", JSON.stringify(client))
      .replaceAll("'sekali/client/spool'", JSON.stringify(spool)),
  );
  return async () => {
    const { stdout } = await run(process.execPath, [file], { cwd: dir, timeout: 60_000 });
    return stdout.trimEnd().split('\n');
  };
}

test('the TypeScript of the README publishes, follows, hands out and works once, at each run', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  await server.client().publish(makeEvents(2, 'order-', { payload: { total: 129.95 } }));
  const runAgain = exampleOf(t, 'README.md', server);
  const lines = await runAgain();
  const sale = /order-[-0-9a-f]{36}/.exec(lines[3]!)?.[0];
  const followed = ['1 order-0 129.95', '2 order-1 129.95', `3 ${sale} 42`];
  assert.deepEqual(lines.slice(0, 4), ['stored duplicate', ...followed]);
  const mails = ['order-0', 'order-1', sale].map((id) => `mail for ${id}`);
  assert.deepEqual(lines.slice(4, 7).toSorted(), mails.toSorted());
  assert.match(lines.slice(7).join(), /sales: 3/);

  const anew = await runAgain();
  assert.deepEqual(anew.slice(0, 4), ['stored duplicate', ...followed]);
  const other = anew[4]!.split(' ')[1];
  assert.deepEqual(anew.slice(4, 6), [`1004 ${other} 42`, `mail for ${other}`]);
  assert.match(anew.slice(6).join(), /sales: 4/);
  const { unique_processed, duplicate_dropped } = await server.client().stats();
  assert.deepEqual([unique_processed, duplicate_dropped], [2004, 2]);
});

test('the example of the guide to publishing publishes each event once', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  assert.deepEqual(await runExample(t, 'docs/guides/publish.md', server), ['stored', '110']);
});

test('every command of the guide to subscribing works, and says what the guide says', async (t) => {
  const server = await startWithEvents(t);
  const answers: string[] = [];
  for (const command of commandsOf('docs/guides/subscribe.md')) {
    const { stdout } = await run('sh', ['-ec', command.replaceAll(URL_OF_GUIDES, server.url)]);
    answers.push(stdout);
  }
  const [stream, made, fetched, shown, dead, sought] = answers;
  assert.equal(stream?.match(/^data: /gm)?.length, 5);
  assert.equal(JSON.parse(made!).name, 'mailer');
  assert.equal(JSON.parse(fetched!).events.length, 5);
  assert.equal(JSON.parse(shown!).leased, 5);
  assert.deepEqual(JSON.parse(dead!).dead_letters, []);
  assert.deepEqual(JSON.parse(sought!), { cursor: 0, events: 5, dry_run: true });
});

test('the consumer of the guide to subscribing gets every event', async (t) => {
  const lines = await runExample(t, 'docs/guides/subscribe.md', await startWithEvents(t));
  assert.deepEqual(lines.toSorted(), [
    ...Array.from({ length: 5 }, (_, i) => `orders.eu event-${i}`),
    'orders.eu order-7',
  ]);
});

test('the consumer of the guide to exactly once has done its work once', async (t) => {
  const lines = await runExample(t, 'docs/guides/consume-exactly-once.md', await startWithEvents(t));
  assert.match(lines.at(-1) ?? '', /total: 42/);
});

test('the guide to webhooks makes one, and its receiver takes what is genuine', async (t) => {
  const server = await startWithEvents(t);
  const [command] = commandsOf('docs/guides/webhooks.md');
  const { stdout } = await run('sh', ['-ec', command!.replaceAll(URL_OF_GUIDES, server.url)]);
  assert.match((JSON.parse(stdout) as { webhook: { secret: string } }).webhook.secret, /^whsec_/);

  const file = join(tempDir(t), 'receiver.ts');
  const library = JSON.stringify(import.meta.resolve('standardwebhooks'));
  writeFileSync(file, codeOf('docs/guides/webhooks.md').replace("'standardwebhooks'", library));
  const { receiver } = (await import(file)) as { readonly receiver: MakeReceiver };
  const events: WireStoredEvent[] = [];
  const work = async (event: WireStoredEvent) => void events.push(event);
  // It has to listen before the subscription is made, which tells the secret.
  let verifying: Server | undefined;
  const front = createServer((request, response) => verifying?.emit('request', request, response));
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.after(() => front.close());
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/hooks`;
  const { subscriptions } = server.client();
  const made = await subscriptions.put('live', { topics: ['orders.>'], start: 'latest', webhook: { url } });
  verifying = receiver(made.subscription.webhook?.secret ?? '', work);
  await server
    .client()
    .publish(makeEvents(1).map((event) => ({ ...event, topic: 'orders.eu', event_id: 'live' })));
  await until('it came', async () => events.length > 0);
  assert.deepEqual(
    events.map(({ event_id }) => event_id),
    ['live'],
  );
  const forged = await fetch(url, {
    method: 'POST',
    body: '{}',
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Date.now() / 1000),
      'webhook-signature': 'v1,b3RoZXI=',
    },
  });
  assert.deepEqual([forged.status, events.length], [401, 1]);
});

test('the tests of the guide to testing pass, and end by themselves', async (t) => {
  const blocks = readFileSync('docs/guides/testing.md', 'utf8').matchAll(/^```ts\n(.*?)^```$/gms);
  const code = [...blocks].map(([, block]) => block).join('\n');
  const file = join(tempDir(t), 'example.ts');
  const places = { 'sekali/client': 'src/client/index.ts', 'sekali/testing': 'src/testing/index.ts' };
  const here = Object.entries(places).reduce(
    (text, [name, path]) => text.replaceAll(`'${name}'`, JSON.stringify(resolve(path))),
    code,
  );
  writeFileSync(file, here);
  // Or it would report to the runner of this test, and not to us.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const args = ['--test-reporter=tap', file];
  const { stdout } = await run(process.execPath, args, { timeout: 60_000, env });
  assert.equal(stdout.match(/^ok \d+ - /gm)?.length, (code.match(/^test\(/gm) ?? []).length, stdout);
  assert.match(stdout, /^# tests 5$/m);
});

type MakeReceiver = (secret: string, work: (event: WireStoredEvent) => Promise<void>) => Server;
