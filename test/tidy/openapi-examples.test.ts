/** The examples of the description, sent to a real server in their order, get the answers that it shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue, type ErrorCode } from '../../src/errors.ts';
import { type ExampleCall, exampleCalls } from '../../src/protocol/openapi/example-calls.ts';
import { type Described, operationsOf } from '../../src/protocol/openapi/operations.ts';
import { MEDIA_JSON, MEDIA_PROBLEM } from '../../src/protocol/wire.ts';
import { ApiValidator, api, closed } from '../support/api-validator.ts';
import { assertSameBody } from '../support/compare-answers.ts';
import { type Answer, type SendOptions, send } from '../support/http.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { startServerProcess } from '../support/server-process.ts';
import { ShownLeases } from '../support/shown-leases.ts';
import { tempDir } from '../support/temp-dir.ts';

const operations = operationsOf(api);

/** A stream does not end: here it is asked for its head alone. What is in it, the protocol suite tries. */
function isEndless({ responses }: Described['operation']): boolean {
  return responses['200']?.content?.['text/event-stream'] !== undefined;
}

/** What an example removes, none of those after it can ask for. */
const ending = operations.filter(({ operation }) => !isEndless(operation));
const story = [
  ...ending.filter(({ method }) => method !== 'DELETE'),
  ...ending.filter(({ method }) => method === 'DELETE'),
];

test('each example gets the answer that stands beside it', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const description = closed(api);
  const validator = new ApiValidator(description);
  const leases = new ShownLeases();
  for (const { path, method, operation } of story) {
    for (const call of exampleCalls(path, method, operation)) {
      await t.test(`${method} ${call.target}: ${call.title}`, async () => {
        const { headers } = call;
        const body = call.body === undefined ? {} : { body: leases.replaceIn(call.body) };
        const answer = await send(server.url, call.target, { method, headers, ...body });
        assert.equal(answer.status, Number(call.status), answer.text);
        if (call.status === '204') return;
        assertDescribed(answer, validator, responsesOf(description, { path, method })[call.status]);
        if (call.answer === undefined) return;
        assertShown(answer, call.answer);
        leases.learn(JSON.stringify(call.answer.value), answer.text);
      });
    }
  }
});

function responsesOf({ paths }: typeof api, { path, method }: Pick<Described, 'path' | 'method'>) {
  const found = operationsOf({ paths }).find((one) => one.path === path && one.method === method);
  return found?.operation.responses ?? {};
}

function assertDescribed(
  answer: Answer,
  validator: ApiValidator,
  described: Described['operation']['responses'][string] | undefined,
): void {
  const media = mediaOf(answer);
  const schema = described?.content?.[media]?.schema;
  assert.ok(schema, `${media} is not described`);
  const isDescribed = validator.compile(schema);
  const value: unknown = media === MEDIA_JSON ? answer.json() : answer.text;
  assert.ok(isDescribed(value), JSON.stringify(isDescribed.errors));
}

function mediaOf({ headers }: Answer): string {
  return headers['content-type']?.split(';')[0] ?? '';
}

function assertShown(answer: Answer, { media, value }: NonNullable<ExampleCall['answer']>): void {
  assert.equal(mediaOf(answer), media);
  assertSameBody(answer.text, typeof value === 'string' ? value : JSON.stringify(value), media);
}

test('the description is the one that the server serves', async (t) => {
  const server = await startServerProcess(t, {
    dataDir: tempDir(t),
    args: ['--event-bytes-max', '4096', '--events-max', '50'],
  });
  const answer = await send(server.url, '/openapi.json');
  const served = answer.json<typeof api>();
  assert.deepEqual(Object.keys(served.paths), Object.keys(api.paths));
  assert.equal(served.components.schemas['Batch']?.oneOf?.[1]?.maxItems, 50);
  assert.match(served.components.schemas['Event']?.description ?? '', /at most 4096 bytes/);
});

/** A request for each code that a client can bring about by itself. */
const mistakes: [code: ErrorCode, path: string, target: string, options?: SendOptions][] = [
  ['json_invalid', '/publish', '/publish', { body: '{' }],
  ['utf8_invalid', '/publish', '/publish', { body: Buffer.from([0x22, 0xff, 0x22]) }],
  ['encoding_invalid', '/publish', '/publish', { body: 'x', headers: { 'Content-Encoding': 'gzip' } }],
  ['encoding_unknown', '/publish', '/publish', { body: 'x', headers: { 'Content-Encoding': 'lzma' } }],
  ['media_type_unknown', '/publish', '/publish', { body: 'x', headers: { 'Content-Type': 'text/xml' } }],
  ['body_too_large', '/publish', '/publish', { body: 'x'.repeat(20_000) }],
  ['batch_too_long', '/publish', '/publish', { body: JSON.stringify(makeEvents(51)) }],
  [
    'event_too_large',
    '/publish',
    '/publish',
    { body: JSON.stringify(makeEvent({ payload: { a: 'x'.repeat(5000) } })) },
  ],
  ['batch_empty', '/publish', '/publish', { body: '[]' }],
  ['batch_invalid', '/publish', '/publish', { body: '{"events":1}' }],
  ['events_invalid', '/publish', '/publish', { body: '[1]' }],
  ['batch_refused', '/publish', '/publish?atomic=true', { body: `[${JSON.stringify(makeEvent())},1]` }],
  ['origin_refused', '/publish', '/publish', { body: '[]', headers: { Origin: 'https://evil.example' } }],
  ['subscription_unknown', '/subscriptions/{name}', '/subscriptions/a%2Fb'],
  [
    'subscription_invalid',
    '/subscriptions/{name}',
    '/subscriptions/a',
    { method: 'PUT', body: '{"topic":[]}' },
  ],
  ['event_unknown', '/events/{topic}/{event_id}', '/events/a%2Fb/c'],
  ['request_invalid', '/events/{topic}/{event_id}', '/events/%ff/c'],
  ['headers_too_large', '/stats', '/stats', { headers: { 'X-Long': 'x'.repeat(20_000) } }],
  ['host_refused', '/livez', '/livez', { headers: { Host: 'evil.example' } }],
  ['parameter_invalid', '/events', '/events?limit=0'],
  ['parameter_invalid', '/readyz', '/readyz?verbose=perhaps'],
];

test('each refusal is one that the description gives, and has its shape', async (t) => {
  const server = await startServerProcess(t, {
    dataDir: tempDir(t),
    args: ['--body-bytes-max', '16KiB', '--event-bytes-max', '4096', '--events-max', '50'],
  });
  const validator = new ApiValidator();
  for (const [code, path, target, options = {}] of mistakes) {
    await t.test(`${target} ${code}`, async () => {
      const { method = path === '/publish' ? 'POST' : 'GET' } = options;
      const answer = await send(server.url, target, { ...options, method });
      const { status, retryable } = catalogue[code];
      assert.equal(answer.status, status, answer.text);
      assert.equal(mediaOf(answer), MEDIA_PROBLEM);
      const responses = responsesOf(api, { path, method: method as Described['method'] });
      const schema = responses[String(status)]?.content?.[MEDIA_PROBLEM]?.schema;
      assert.ok(schema, `${status} is not described`);
      const isDescribed = validator.compile(schema);
      const problem = answer.json<{ code: string; retryable: boolean }>();
      assert.ok(isDescribed(problem), JSON.stringify(isDescribed.errors));
      assert.deepEqual([problem.code, problem.retryable], [code, retryable]);
    });
  }
});

test('every address refuses a parameter that it does not have', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  for (const { path, method } of operations) {
    const target = `${path.replaceAll(/\{\w+\}/g, 'x')}?no_such_parameter=1`;
    const answer = await send(server.url, target, { method, ...(method === 'POST' && { body: '[]' }) });
    assert.equal(answer.status, 422, `${method} ${target}`);
    assert.match(answer.text, /no_such_parameter is no parameter here/);
  }
});

function basic(key: string): string {
  return `Basic ${Buffer.from(`anyone:${key}`).toString('base64')}`;
}

test('without the key, or with another, every address but the probes refuses', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t), env: { SEKALI_API_KEY: 'right' } });
  const given: [authorization: string, code: string | undefined][] = [
    ['', 'key_missing'],
    ['Bearer wrong', 'key_wrong'],
    [basic('wrong'), 'key_wrong'],
    ['Bearer right', undefined],
    [basic('right'), undefined],
  ];
  for (const { path, method, operation } of operations) {
    const target = path.replaceAll(/\{\w+\}/g, 'x');
    for (const [authorization, code] of given) {
      const headers: Record<string, string> = authorization === '' ? {} : { authorization };
      const answer = await send(server.url, target, {
        method: isEndless(operation) ? 'HEAD' : method,
        headers,
      });
      const asksForKey = operation.security === undefined;
      assert.equal(
        answer.status === 401,
        asksForKey && code !== undefined,
        `${method} ${target} ${authorization}`,
      );
      if (answer.status === 401 && !isEndless(operation)) {
        assert.equal(answer.json()['code'], code);
        assert.match(String(answer.headers['www-authenticate']), /^Bearer .*, Basic /);
      }
    }
  }
});
