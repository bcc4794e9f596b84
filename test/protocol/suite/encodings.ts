import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import type { PublishAnswer } from '../../../src/protocol/wire.ts';
import { assertProblem, type ProtocolCase, type Target } from './case.ts';

type Compress = (bytes: Uint8Array) => Buffer;

const COMPRESSORS: readonly [string, Compress][] = [
  ['gzip', (bytes) => zlib.gzipSync(bytes)],
  ['x-gzip', (bytes) => zlib.gzipSync(bytes)],
  ['GZIP', (bytes) => zlib.gzipSync(bytes)],
  ['zstd', (bytes) => zlib.zstdCompressSync(bytes)],
  ['br', (bytes) => zlib.brotliCompressSync(bytes)],
  ['deflate', (bytes) => zlib.deflateSync(bytes)],
  ['identity', (bytes) => Buffer.from(bytes)],
];

/** One of each kind that compresses. */
const REAL = COMPRESSORS.filter(([name]) => ['gzip', 'zstd', 'br', 'deflate'].includes(name));

function lines(server: Target, ...ids: string[]): Buffer {
  const texts = ids.map((event_id) => `${JSON.stringify(server.event({ event_id }))}\n`);
  return Buffer.from(texts.join(''));
}

async function publishLines(server: Target, encoding: string, body: Uint8Array) {
  return await server.publishBody(body, {
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': encoding },
  });
}

export const encodingCases: readonly ProtocolCase[] = [
  ...COMPRESSORS.map(
    ([name, compress]): ProtocolCase => ({
      name: `a body comes with the content encoding ${name}`,
      async run(server) {
        const answer = await publishLines(server, name, compress(lines(server, 'e0', 'e1')));
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(await server.ids(), ['e0', 'e1']);
      },
    }),
  ),
  ...REAL.flatMap(([name, compress]): ProtocolCase[] => {
    const bad: readonly [string, (body: Buffer) => Uint8Array][] = [
      ['cut in the middle', (body) => body.subarray(0, body.length / 2)],
      ['without its last byte', (body) => body.subarray(0, -1)],
      ['with text behind it', (body) => Buffer.concat([body, Buffer.from('{"topic":')])],
      ['with zeros behind it', (body) => Buffer.concat([body, Buffer.alloc(8)])],
      ['that is empty', () => Buffer.alloc(0)],
    ];
    return bad.map(([what, spoil]) => ({
      name: `400 encoding_invalid: ${name} ${what}`,
      async run(server) {
        const body = spoil(compress(lines(server, 'e0', 'e1')));
        const answer = await server.storesNothing(async () => await publishLines(server, name, body));
        assertProblem(answer, 400, 'encoding_invalid');
      },
    }));
  }),
  ...REAL.map(
    ([name]): ProtocolCase => ({
      name: `400 encoding_invalid: plain text that is said to be ${name}`,
      async run(server) {
        const answer = await server.storesNothing(
          async () => await publishLines(server, name, lines(server, 'e0')),
        );
        assertProblem(answer, 400, 'encoding_invalid');
      },
    }),
  ),
  ...REAL.filter(([name]) => name === 'gzip' || name === 'zstd').map(
    ([name, compress]): ProtocolCase => ({
      name: `what a shipper flushes piece by piece is taken whole: ${name} behind ${name}`,
      async run(server) {
        const pieces = ['e0', 'e1', 'e2'].map((id) => compress(lines(server, id)));
        const answer = await publishLines(server, name, Buffer.concat(pieces));
        assert.equal(answer.json<PublishAnswer>().processed, 3, answer.text);
        assert.deepEqual(await server.ids(), ['e0', 'e1', 'e2']);
      },
    }),
  ),
  ...REAL.filter(([name]) => name === 'br' || name === 'deflate').map(
    ([name, compress]): ProtocolCase => ({
      name: `400 encoding_invalid: ${name} behind ${name}, which nothing allows`,
      async run(server) {
        const body = Buffer.concat([compress(lines(server, 'e0')), compress(lines(server, 'e1'))]);
        const answer = await server.storesNothing(async () => await publishLines(server, name, body));
        assertProblem(answer, 400, 'encoding_invalid');
      },
    }),
  ),
  {
    name: 'a body may have a thousand zstd frames; of more, it is taken whole or not at all',
    async run(server) {
      const frames = (id: string, count: number) => {
        const last = zlib.zstdCompressSync(lines(server, id));
        const frame = zlib.zstdCompressSync(Buffer.from('\n'));
        return Buffer.concat([...Array.from({ length: count - 1 }, () => frame), last]);
      };
      const thousand = await publishLines(server, 'zstd', frames('e0', 1000));
      assert.equal(thousand.json<PublishAnswer>().processed, 1, thousand.text);
      // Where the decoder goes on from frame to frame by itself (Node 26), more of them cost no more.
      const more = await publishLines(server, 'zstd', frames('e1', 1001));
      if (more.status === 200) assert.equal(more.json<PublishAnswer>().processed, 1, more.text);
      else assertProblem(more, 400, 'encoding_invalid');
    },
  },
  {
    name: 'a compressed body that is not said to be is never taken for what it looks like',
    async run(server) {
      const answer = await server.publishBody(zlib.gzipSync(lines(server, 'e0')), {
        headers: { 'content-type': 'application/json' },
      });
      assertProblem(answer, 400, 'utf8_invalid');
    },
  },
];
