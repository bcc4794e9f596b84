import assert from 'node:assert/strict';
import type { PublishAnswer } from '../../../src/protocol/wire.ts';
import { requestText } from '../../support/http.ts';
import { assertProblem, type ProtocolCase, type Target } from './case.ts';

/** A publish request by hand; the headers come after the usual ones. */
function publishText(server: Target, body: string, headers: Record<string, string> = {}): Buffer {
  return requestText(
    'POST /publish?ack=stored',
    {
      ...server.headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
    body,
  );
}

/** What no server can read as a request, by how it is answered. */
const BROKEN: readonly [what: string, bytes: string, status: number, code: string][] = [
  ['text', 'hello\r\n\r\n', 400, 'request_invalid'],
  ['a method that is none', 'BREW /publish HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 'request_invalid'],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'request_invalid'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'request_invalid'],
  ['a space in the address', 'GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 'request_invalid'],
  ['a NUL in a header', 'GET /livez HTTP/1.1\r\nhost: localhost\r\nx: a\0\r\n\r\n', 400, 'request_invalid'],
  [
    'a length that is no number',
    'POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n',
    400,
    'request_invalid',
  ],
  [
    'a length below zero',
    'POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n',
    400,
    'request_invalid',
  ],
  [
    'two lengths',
    'POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
    400,
    'request_invalid',
  ],
  [
    'a length and chunks',
    'POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    400,
    'request_invalid',
  ],
  [
    'a chunk without a size',
    'POST /publish HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nx\r\n\r\n',
    400,
    'request_invalid',
  ],
  ['no Host header', 'GET /livez HTTP/1.1\r\n\r\n', 400, 'request_invalid'],
  [
    'headers of 20 kB',
    `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  [
    'an address of 20 kB',
    `GET /events?topic=${'x'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    431,
    'headers_too_large',
  ],
];

export const connectionCases: readonly ProtocolCase[] = [
  ...BROKEN.map(
    ([what, bytes, status, code]): ProtocolCase => ({
      name: `${status} ${code}: ${what}`,
      async run(server) {
        const connection = await server.connect();
        connection.write(Buffer.from(bytes, 'latin1'));
        assertProblem(await connection.answer(), status, code);
        connection.cut();
      },
    }),
  ),
  {
    name: 'one connection carries many requests, also after some were refused',
    async run(server) {
      const connection = await server.connect();
      for (let i = 0; i < 3; i++) {
        connection.write(publishText(server, JSON.stringify(server.event({ event_id: `e${i}` }))));
        assert.equal((await connection.answer()).status, 200);
        connection.write(publishText(server, '{"topic":'));
        assertProblem(await connection.answer(), 400, 'json_invalid');
        connection.write(publishText(server, 'text', { 'content-type': 'text/plain' }));
        assertProblem(await connection.answer(), 415, 'media_type_unknown');
        connection.write(requestText('PUT /publish', { ...server.headers, 'content-length': '1' }, 'x'));
        assertProblem(await connection.answer(), 405, 'method_refused');
      }
      connection.cut();
      assert.deepEqual(await server.ids(), ['e0', 'e1', 'e2']);
    },
  },
  {
    name: 'a body that is refused before it has come is read to its end, and the connection goes on',
    async run(server) {
      const connection = await server.connect();
      const length = 20_000_000;
      const head = publishText(server, '', { 'content-length': String(length) });
      connection.write(head);
      assertProblem(await connection.answer(), 413, 'body_too_large');
      connection.write(Buffer.alloc(length, ' '));
      connection.write(publishText(server, JSON.stringify(server.event())));
      assert.equal((await connection.answer()).json<PublishAnswer>().processed, 1);
      connection.cut();
    },
  },
  {
    name: 'requests that are sent before the first answer are answered in order',
    async run(server) {
      const connection = await server.connect();
      const events = server.events(5);
      connection.write(
        Buffer.concat([...events, events[0]].map((event) => publishText(server, JSON.stringify(event)))),
      );
      const processed: (number | null)[] = [];
      for (let i = 0; i < 6; i++) processed.push((await connection.answer()).json<PublishAnswer>().processed);
      assert.deepEqual(processed, [1, 1, 1, 1, 1, 0]);
      connection.cut();
    },
  },
  {
    name: 'what is broken behind a request is never answered in its place',
    async run(server) {
      for (let round = 0; round < 10; round++) {
        const connection = await server.connect();
        const event = server.event({ event_id: `e${round}` });
        connection.write(
          Buffer.concat([publishText(server, JSON.stringify(event)), Buffer.from('garbage\r\n\r\n')]),
        );
        // No answer at all, and the client tries again; or the one to the request itself, which came first.
        const rest = await connection.rest();
        assert.ok(rest === '' || rest.startsWith('HTTP/1.1 200'), rest);
        assert.equal((await server.publishBody(JSON.stringify(event))).status, 200);
      }
      assert.equal((await server.page()).count, 10);
    },
  },
  {
    name: 'Expect: 100-continue is asked to go on when the body will be read, and not otherwise',
    async run(server) {
      const body = JSON.stringify(server.event());
      const expect = { expect: '100-continue' };
      const connection = await server.connect();
      const text = publishText(server, body, expect);
      connection.write(text.subarray(0, text.length - body.length));
      assert.equal((await connection.answer()).status, 100);
      connection.write(body);
      assert.equal((await connection.answer()).status, 200);

      const wrong = publishText(server, body, { ...expect, 'content-type': 'text/plain' });
      connection.write(wrong.subarray(0, wrong.length - body.length));
      const refused = await connection.answer();
      assertProblem(refused, 415, 'media_type_unknown');
      // Whether the body still comes, it cannot know; so it must not take what comes for the next request.
      assert.equal(refused.headers.connection, 'close');
      connection.write(body);
      assert.equal(await connection.rest(), '');
    },
  },
  {
    name: 'a request that breaks off within its body stores nothing',
    async run(server) {
      const body = `[${JSON.stringify(server.event())}]`;
      await server.storesNothing(async () => {
        const short = await server.connect();
        short.write(publishText(server, body, { 'content-length': String(body.length + 1) }));
        short.socket.end();
        const cut = await server.connect();
        cut.write(
          requestText('POST /publish', {
            ...server.headers,
            'content-type': 'application/json',
            'transfer-encoding': 'chunked',
          }),
        );
        cut.write(`${body.length.toString(16)}\r\n${body}\r\n`);
        cut.socket.end();
        await Promise.all([short.closed, cut.closed]);
        return await server.send('/livez');
      });
    },
  },
  {
    name: 'HTTP/1.0 and an address in absolute form are understood',
    async run(server) {
      const { host } = new URL(server.url);
      for (const line of ['GET /livez HTTP/1.0', `GET http://${host}/livez HTTP/1.1`]) {
        const connection = await server.connect();
        connection.write(`${line}\r\nhost: localhost\r\n\r\n`);
        assert.equal((await connection.answer()).text, 'ok\n');
        connection.cut();
      }
    },
  },
];
