import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import zlib from 'node:zlib';
import type { PublishAnswer } from '../../../src/protocol/wire.ts';
import { requestText } from '../../support/http.ts';
import { assertProblem, type ProtocolCase, type Target } from './case.ts';

/** What a server allows that was not told otherwise. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const EVENT_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 64;
const EVENTS_MAX = 10_000;

/** The JSON text of an event that has exactly this many bytes. */
function eventOfBytes(server: Target, bytes: number): string {
  const empty = server.eventText('{"s":""}');
  return server.eventText(`{"s":"${'x'.repeat(bytes - Buffer.byteLength(empty))}"}`);
}

/** An event whose payload makes it nest so deep; the event itself is level 1, its payload level 2. */
function eventOfDepth(server: Target, depth: number, open = '[', close = ']'): string {
  const inner = depth - 2;
  return server.eventText(`{"a":${open.repeat(inner)}${close.repeat(inner)}}`);
}

const NDJSON = { 'content-type': 'application/x-ndjson' };

async function assertRejected(server: Target, bad: string, status: number, code: string, reason: string) {
  const alone = await server.storesNothing(async () => await server.publishBody(bad));
  const problem = assertProblem(alone, status, code);
  assert.equal((problem['errors'] as { code: string }[])[0]?.code, reason);
  const good = JSON.stringify(server.event({ event_id: randomUUID() }));
  const among = (await server.publishBody(`[${bad},${good}]`)).json<PublishAnswer>();
  assert.deepEqual([among.processed, among.errors[0]?.code], [1, reason]);
}

export const limitCases: readonly ProtocolCase[] = [
  {
    name: 'an event of exactly 1 MiB is stored, white space around it not counted; one byte more is refused',
    async run(server) {
      const largest = eventOfBytes(server, EVENT_BYTES_MAX);
      assert.equal((await server.publishBody(` \n${largest}\n `)).status, 200);
      const answer = await server.publishBody(eventOfBytes(server, EVENT_BYTES_MAX), { headers: NDJSON });
      assert.equal(answer.json<PublishAnswer>().duplicates, 1);
      await assertRejected(
        server,
        eventOfBytes(server, EVENT_BYTES_MAX + 1),
        413,
        'event_too_large',
        'event_too_large',
      );
    },
  },
  {
    name: 'an event of 64 levels is stored, one of 65 is refused, and one of a million levels too',
    async run(server) {
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const fits = `${open.repeat(DEPTH_MAX - 3)}{}${close.repeat(DEPTH_MAX - 3)}`;
        const answer = await server.publishBody(server.eventText(`{"a":${fits}}`, { event_id: open }));
        assert.equal(answer.status, 200, answer.text);
      }
      await assertRejected(server, eventOfDepth(server, DEPTH_MAX + 1), 422, 'events_invalid', 'too_deep');
      await assertRejected(server, eventOfDepth(server, 400_000), 422, 'events_invalid', 'too_deep');
      await assertRejected(
        server,
        eventOfDepth(server, 1_000_000),
        413,
        'event_too_large',
        'event_too_large',
      );
      const unclosed = await server.publishBody(eventOfDepth(server, 400_000, '[', ''));
      assertProblem(unclosed, 400, 'json_invalid');
      const noEvent = await server.publishBody('['.repeat(1_000_000));
      assertProblem(noEvent, 400, 'json_invalid');
    },
  },
  {
    name: 'a request of 10,000 events is stored, one of 10,001 is refused whole, in each format',
    async run(server) {
      const texts = server.events(EVENTS_MAX + 1, { payload: {} }).map((event) => JSON.stringify(event));
      for (const body of [`[${texts.join()}]`, `{"events":[${texts.join()}]}`]) {
        const answer = await server.storesNothing(async () => await server.publishBody(body));
        assert.equal(assertProblem(answer, 413, 'batch_too_long')['limit'], EVENTS_MAX);
      }
      const lines = await server.storesNothing(
        async () => await server.publishBody(texts.join('\n'), { headers: NDJSON }),
      );
      assertProblem(lines, 413, 'batch_too_long');
      const taken = await server.publishBody(`[${texts.slice(1).join()}]`);
      assert.equal(taken.json<PublishAnswer>().processed, EVENTS_MAX);
    },
  },
  {
    name: 'a body of exactly 16 MiB is taken, one byte more is refused, whether its length is said or not',
    async run(server) {
      const event = JSON.stringify(server.event());
      const body = Buffer.alloc(BODY_BYTES_MAX, ' ');
      body.write(event);
      assert.equal((await server.publishBody(body)).json<PublishAnswer>().processed, 1);
      assert.equal((await server.publishBody([body])).json<PublishAnswer>().duplicates, 1);
      const larger = Buffer.concat([body, Buffer.from(' ')]);
      for (const sent of [larger, [larger], Array.from({ length: 40 }, () => Buffer.alloc(1_000_000, ' '))]) {
        const answer = await server.storesNothing(async () => await server.publishBody(sent));
        assert.equal(assertProblem(answer, 413, 'body_too_large')['limit'], BODY_BYTES_MAX);
      }
    },
  },
  {
    name: 'a body that says it is larger than allowed is refused before it is sent',
    async run(server) {
      const connection = await server.connect();
      const headers = { ...server.headers, 'content-type': 'application/json' };
      connection.write(
        requestText('POST /publish', { ...headers, 'content-length': String(BODY_BYTES_MAX + 1) }),
      );
      assertProblem(await connection.answer(), 413, 'body_too_large');
      connection.cut();
    },
  },
  {
    name: 'a client that has said it will close, and is still sending, gets the refusal and not a reset',
    async run(server) {
      const size = 30_000_000;
      const body = Buffer.alloc(size, ' ');
      const chunked = Buffer.concat([
        Buffer.from(`${size.toString(16)}\r\n`),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]);
      for (const [headers, bytes] of [
        [{ 'content-length': String(size) }, body],
        [{ 'transfer-encoding': 'chunked' }, chunked],
      ] as const) {
        const connection = await server.connect();
        connection.socket.pause(); // it reads when all is sent, not before
        const all = {
          ...server.headers,
          'content-type': 'application/json',
          connection: 'close',
          ...headers,
        };
        connection.write(requestText('POST /publish', all));
        await new Promise((resolve) => connection.socket.write(bytes, resolve));
        connection.socket.resume();
        assertProblem(await connection.answer(), 413, 'body_too_large');
        await connection.closed;
      }
    },
  },
  ...(
    [
      ['gzip', (bytes: Uint8Array) => zlib.gzipSync(bytes)],
      ['deflate', (bytes: Uint8Array) => zlib.deflateSync(bytes)],
      ['br', (bytes: Uint8Array) => zlib.brotliCompressSync(bytes)],
      ['zstd', (bytes: Uint8Array) => zlib.zstdCompressSync(bytes)],
    ] as const
  ).map(
    ([name, compress]): ProtocolCase => ({
      name: `a body is measured after decompression too: ${name}`,
      async run(server) {
        const headers = { 'content-encoding': name };
        const body = Buffer.alloc(BODY_BYTES_MAX, ' ');
        body.write(JSON.stringify(server.event()));
        assert.equal((await server.publishBody(compress(body), { headers })).status, 200);
        const bomb = compress(Buffer.alloc(10 * BODY_BYTES_MAX, ' '));
        const answer = await server.storesNothing(async () => await server.publishBody(bomb, { headers }));
        assert.match(assertProblem(answer, 413, 'body_too_large').detail, /decompressed/);
      },
    }),
  ),
];
