/** Subscriptions from the command line, against a real server. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Webhook } from 'standardwebhooks';
import type {
  FetchAnswer,
  SubscriptionAnswer,
  WireDeadLetter,
} from '../../src/protocol/subscriptions-wire.ts';
import { send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import {
  type Finished,
  finished,
  ON_TERMINAL,
  type RunOptions,
  runCli,
  startCli,
} from '../support/process.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

type Run = (args: readonly string[], options?: RunOptions) => Promise<Finished>;

async function serverAndCli(t: TestContext): Promise<{ server: ServerProcess; run: Run }> {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const run: Run = async (args, { env, ...options } = {}) => {
    const ended = await runCli(args, { ...options, env: { SEKALI_URL: server.url, ...env } });
    return { ...ended, stdout: stripVTControlCharacters(ended.stdout) };
  };
  return { server, run };
}

/** Takes events of a subscription and gives them back, as a consumer that cannot do with them. */
async function refuse(server: ServerProcess, name: string, reason: string): Promise<number[]> {
  const post = async (action: string, body: object) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    return await (await server.client().request(`/subscriptions/${name}/${action}`, init)).json();
  };
  const { lease, events } = (await post('fetch', {})) as FetchAnswer;
  const positions = events.map(({ position }) => position);
  await post('nack', { lease, positions, reason });
  return positions;
}

function linesOf<T>({ stdout }: Finished): T[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

test('a subscription is made, listed, looked at, changed and removed', async (t) => {
  const { server, run } = await serverAndCli(t);
  await server.client().publish(makeEvents(3));
  const flags =
    '--topics orders --topics orders.> --start 1 --ack-wait-ms 5000 --max-attempts 2 --max-in-flight 7 --backoff-first-ms 10 --ordered';
  const made = await run(['subscriptions', 'put', 'billing', ...flags.split(' ')]);
  assert.deepEqual([made.code, made.stderr], [0, 'made\n']);
  const shown = await run(['subscriptions', 'billing']);
  const [answer] = linesOf<SubscriptionAnswer>(shown);
  const { lag, created_at: _, version, ...subscription } = answer!;
  assert.deepEqual(subscription, {
    name: 'billing',
    topics: ['orders', 'orders.>'],
    ack_wait_ms: 5000,
    max_attempts: 2,
    max_in_flight: 7,
    backoff: { first_ms: 10, max_ms: 60_000 },
    ordered: true,
    cursor: 1,
    leased: 0,
    waiting: 0,
    dead: 0,
  });
  assert.equal(lag.events, 2);

  const changed = await run(['subscriptions', 'put', 'billing', '--topics', '>', '--start', 'latest']);
  assert.equal(changed.code, 0);
  assert.match(changed.stderr, /it was there[^]*--start has changed nothing: sekali replay/);
  const late = await run(['subscriptions', 'put', 'billing', '--topics', 'a', '--if-match', version]);
  assert.deepEqual([late.code, late.stdout], [1, '']);
  assert.match(late.stderr, /is not as If-Match or If-None-Match requires/);
  await run(['subscriptions', 'put', 'audit', '--topics', '>', '--if-match', 'none']);
  assert.equal((await run(['subscriptions', 'put', 'audit', '--topics', 'a', '--if-match', 'none'])).code, 1);
  const all = linesOf<SubscriptionAnswer>(await run(['subscriptions']));
  assert.deepEqual(
    all.map(({ name, cursor }) => [name, cursor]),
    [
      ['audit', 0],
      ['billing', 1],
    ],
  );
  const table = await run(['subscriptions', '--limit', '1'], { env: ON_TERMINAL });
  assert.match(table.stdout, /^subscription +topics +cursor +leased.*\naudit +> +0 /);
  assert.match(table.stdout, /for more: --after audit\n/);
  const people = await run(['subscriptions', 'billing'], { env: ON_TERMINAL });
  assert.match(people.stdout, /lag +2 not handed out yet; the oldest .* was stored [\d.]+ s ago\n/);

  assert.equal((await run(['subscriptions', 'remove', 'audit'])).code, 0);
  assert.equal(linesOf(await run(['subscriptions'])).length, 1);
});

test('a webhook is not lost to a change that says nothing of it', async (t) => {
  const { server, run } = await serverAndCli(t);
  const put = ['subscriptions', 'put', 'hook', '--topics', '>'];
  const made = await run([...put, '--webhook', 'https://example.com/hooks'], { env: ON_TERMINAL });
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stdout,
    /webhook +https:\/\/example\.com\/hooks\n[^]*secret +whsec_\S+ \(never shown again\)/,
  );
  const webhook = async () => (await server.client().subscriptions.get('hook')).webhook;

  const silent = await run([...put, '--ordered']);
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /it has a webhook, which needs --webhook again: https:\/\/example\.com\/hooks/);
  const how = { url: 'https://example.com/hooks', concurrency: 2, retry_ms: [1000] };
  await server.client().subscriptions.put('hook', { topics: ['>'], webhook: how });
  await run([...put, '--webhook', 'https://example.com/other']);
  const { url, concurrency, retry_ms } = (await webhook())!;
  assert.deepEqual({ url, concurrency, retry_ms }, { ...how, url: 'https://example.com/other' });

  const rotated = await run(['subscriptions', 'rotate-secret', 'hook', '--overlap-ms', '1000']);
  assert.match(rotated.stdout, /^\{"secret":"whsec_\S+","overlap_ms":1000\}\n$/);
  const shown = await run(['subscriptions', 'rotate-secret', 'hook'], { env: ON_TERMINAL });
  assert.match(shown.stdout, /^secret +whsec_\S+ \(never shown again\)\n.* old one too for 86,400,000 ms\n$/);

  assert.equal((await run([...put, '--webhook', 'none'])).code, 0);
  const none = await run(['subscriptions', 'rotate-secret', 'hook']);
  assert.deepEqual([none.code, none.stderr.includes('has no webhook')], [1, true]);
  assert.equal(await webhook(), undefined);
  const clash = await run([...put, '--webhook', how.url]);
  assert.equal(clash.code, 1);
  assert.match(clash.stderr, /has no webhook, and consumers may fetch from it/);
  const { version } = await server.client().subscriptions.get('hook');
  assert.equal((await run([...put, '--webhook', how.url, '--if-match', version])).code, 0);
  assert.equal((await webhook())?.url, how.url);
});

test('a change of a webhook that comes between the look and the put is not undone', async (t) => {
  const { server, run } = await serverAndCli(t);
  const { subscriptions } = server.client();
  const url = 'https://example.com/hooks';
  await subscriptions.put('hook', { topics: ['>'], webhook: { url } });
  const between = await passOn(t, server, async () => {
    await subscriptions.put('hook', { topics: ['>'], webhook: { url, concurrency: 2 } });
  });
  const put = ['subscriptions', 'put', 'hook', '--topics', '>', '--webhook', 'https://example.com/other'];
  const late = await run(put, { env: { SEKALI_URL: between } });
  assert.deepEqual([late.code, late.stdout], [1, '']);
  assert.match(late.stderr, /is not as If-Match .* requires: look at it again/);
  const { webhook } = await subscriptions.get('hook');
  assert.deepEqual([webhook?.url, webhook?.concurrency], [url, 2]);
  assert.equal((await run(put)).code, 0, 'again, with what is there by now');
  assert.equal((await subscriptions.get('hook')).webhook?.concurrency, 2);
});

/** Passes requests on. Something happens when the first of them has been answered, before anybody is told. */
async function passOn(t: TestContext, { url }: ServerProcess, happen: () => Promise<void>): Promise<string> {
  let happened: Promise<void> | undefined;
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', headers } = request;
    const body = method === 'GET' ? {} : { body: await text(request) };
    const sent = { ...(headers as Record<string, string>), host: new URL(url).host };
    const answer = await send(url, request.url ?? '', { method, headers: sent, ...body });
    await (happened ??= happen());
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => {
    void pass(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('dead letters are shown, handed out again and let go of', async (t) => {
  const { server, run } = await serverAndCli(t);
  await server.client().publish([...makeEvents(3), makeEvent({ topic: 'users', event_id: 'user' })]);
  await run(['subscriptions', 'put', 'billing', '--topics', '>', '--max-attempts', '1']);
  assert.deepEqual(await refuse(server, 'billing', 'no such customer'), [1, 2, 3, 4]);

  const dead = linesOf<WireDeadLetter>(await run(['dead-letters', 'billing', '--limit', '3']));
  assert.deepEqual(
    dead.map(({ position, attempts, reason, event }) => [position, attempts, reason, event?.event_id]),
    [1, 2, 3].map((position) => [position, 1, 'no such customer', `event-${position - 1}`]),
  );
  const table = await run(['dead-letters', 'billing'], { env: ON_TERMINAL });
  assert.match(table.stdout, /^position +died +attempts +topic +reason/);

  const redriven = await run([
    'dead-letters',
    'billing',
    '--redrive',
    '--position',
    '1,2',
    '--position',
    '1',
  ]);
  assert.deepEqual([redriven.code, redriven.stdout], [0, '{"count":2}\n']);
  const again = await run(['dead-letters', 'billing', '--redrive', '--position', '2,3']);
  assert.deepEqual([again.code, again.stdout], [3, '{"count":1}\n']);
  assert.match(again.stderr, /at 1 of the positions there is no dead letter/);
  const discarded = await run(['dead-letters', 'billing', '--discard', '--topic', 'users']);
  assert.deepEqual([discarded.code, discarded.stdout], [0, '{"count":1}\n']);
  assert.deepEqual(await refuse(server, 'billing', 'again'), [1, 2, 3]);
  const rest = await run(['dead-letters', 'billing', '--discard', '--all'], { env: ON_TERMINAL });
  assert.deepEqual([rest.code, rest.stdout], [0, '3 discarded\n']);
  assert.equal((await run(['dead-letters', 'billing'])).stdout, '');
});

test('a replay tells what it would be, asks on a terminal, and wants --yes in a pipe', async (t) => {
  const { server, run } = await serverAndCli(t);
  await server.client().publish(makeEvents(3));
  await run(['subscriptions', 'put', 'billing', '--topics', 'orders', '--start', 'latest']);
  const cursor = async () => linesOf<SubscriptionAnswer>(await run(['subscriptions']))[0]?.cursor;
  const to = ['replay', 'billing', '--to'];

  const dry = await run([...to, 'earliest', '--dry-run']);
  assert.deepEqual([dry.code, dry.stdout], [0, '{"cursor":0,"events":3,"dry_run":true}\n']);
  const unasked = await run([...to, 'earliest']);
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /--yes or --dry-run is needed/);
  for (const input of ['n\n', '\n', '']) {
    const declined = await run([...to, 'earliest'], { env: ON_TERMINAL, input });
    assert.deepEqual([declined.code, declined.stderr], [1, 'nothing was changed\n'], JSON.stringify(input));
    assert.match(declined.stdout, /^3 events after position 0 would be handed out\n/);
  }
  assert.equal(await cursor(), 3);

  const asked = await run([...to, '1'], { env: ON_TERMINAL, input: 'y\n' });
  assert.equal(asked.code, 0);
  assert.match(asked.stdout, /2 events after position 1 will be handed out\n$/);
  assert.equal(await cursor(), 1);
  const piped = await run([...to, '2020-01-01T00:00:00Z', '--yes']);
  assert.deepEqual([piped.code, piped.stdout], [0, '{"cursor":0,"events":3,"dry_run":false}\n']);
});

test('who asks for a subscription that is not there is told so', async (t) => {
  const { run } = await serverAndCli(t);
  for (const args of [
    ['subscriptions', 'nobody'],
    ['subscriptions', 'remove', 'nobody'],
    ['subscriptions', 'rotate-secret', 'nobody'],
    ['dead-letters', 'nobody'],
    ['dead-letters', 'nobody', '--discard', '--all'],
    ['replay', 'nobody', '--to', 'latest', '--yes'],
  ]) {
    const { code, stderr } = await run(args);
    assert.equal(code, 3, args.join(' '));
    assert.match(stderr, /^sekali: there is no subscription .*"nobody"\n$/);
  }
});

interface Posted {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that keeps what came, and answers as it is told. */
async function receiver(
  t: TestContext,
  answer: (posted: Posted) => number,
): Promise<{ url: string; posted: Posted[] }> {
  const posted: Posted[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const one = { headers: request.headers, body: await text(request) };
    posted.push(one);
    response.writeHead(answer(one)).end('thanks');
  };
  const server = createServer((request, response) => {
    void take(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`, posted };
}

/** Ends it as Ctrl-C does, once what it has to do is done. */
async function interrupted(child: ChildProcess, isDone: () => boolean): Promise<Finished> {
  const ended = finished(child);
  await until('it has done its work', async () => isDone());
  child.kill('SIGINT');
  return await ended;
}

test('listen posts events as webhooks are, again where they are not taken, and goes on', async (t) => {
  const { server } = await serverAndCli(t);
  const state = tempDir(t);
  await server.client().publish(makeEvents(3));
  await server.client().publish([makeEvent({ topic: 'users' })]);
  let refusals = 0;
  const { url, posted } = await receiver(t, ({ body }) => {
    if (body.includes('event-0')) return refusals++ === 0 ? 503 : 204;
    return body.includes('event-1') ? 500 : 200;
  });
  const start = () =>
    startCli(['listen', 'orders', '--after', '0', '--forward-to', url, '--retries', '1'], {
      env: { SEKALI_URL: server.url, XDG_STATE_HOME: state },
    });

  const first = await interrupted(start(), () => posted.length === 5);
  assert.equal(first.code, 0);
  const secret = /^secret: (whsec_\S+)$/m.exec(first.stderr)?.[1] ?? '';
  for (const { body, headers } of posted)
    assert.deepEqual(new Webhook(secret).verify(body, headers as Record<string, string>), JSON.parse(body));
  const ids = posted.map(({ headers }) => headers['webhook-id']);
  assert.deepEqual([ids[0], ids[2], new Set(ids).size], [ids[1], ids[3], 3]);
  assert.equal((JSON.parse(posted[4]?.body ?? '') as { event_id: string }).event_id, 'event-2');
  assert.match(first.stderr, /the event at position 2 is given up: HTTP 500\n/);
  const tries = linesOf<{ position: number; status: number; is_delivered: boolean }>(first);
  assert.deepEqual(
    tries.slice(0, 4).map(({ position, status, is_delivered }) => [position, status, is_delivered]),
    [
      [1, 503, false],
      [1, 204, true],
      [2, 500, false],
      [2, 500, false],
    ],
  );

  assert.equal(statSync(join(state, 'sekali', 'listen-secret')).mode & 0o777, 0o600);
  const second = await interrupted(start(), () => posted.length > 5);
  assert.ok(second.stderr.includes(`secret: ${secret}\n`), 'the secret is the same');
  assert.equal(posted[5]?.headers['webhook-id'], ids[0]);
});

test('listen shows a person what came of each event, also where nobody answers', async (t) => {
  const { server } = await serverAndCli(t);
  await server.client().publish(makeEvents(2));
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const args = ['listen', '>', '--after', '0', '--retries', '0', '--forward-to', 'http://127.0.0.1:1/'];
  const child = startCli(args, {
    env: { SEKALI_URL: server.url, SEKALI_WEBHOOK_SECRET: secret, ...ON_TERMINAL },
  });
  let shown = '';
  child.stdout?.on('data', (chunk: Buffer) => (shown += stripVTControlCharacters(String(chunk))));
  const { code, stderr } = await interrupted(child, () => shown.split('\n').length > 2);
  assert.equal(code, 0);
  assert.match(shown, /^--- +\d+ ms {2}1 {2}orders {2}event-0 {2}connect ECONNREFUSED.+\n--- /);
  assert.match(stderr, /is given up: .*\n[^]*--after 2 goes on from here\n/);
});

test('listen asks the server once whether it is there', async () => {
  const args = ['listen', '>', '--forward-to', 'http://127.0.0.1:1'];
  const { code, stderr } = await runCli(args, { env: { SEKALI_URL: 'http://127.0.0.1:1' } });
  assert.equal(code, 1);
  assert.match(stderr, /no answer from/);
});
