import assert from 'node:assert/strict';
import type { ProtocolCase } from './case.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const headerCases: readonly ProtocolCase[] = [
  {
    name: 'every answer carries an id, of its own or the one it was sent with',
    async run(server) {
      for (const path of ['/livez', '/stats', '/nothing', '/events?limit=0', '/events/%zz']) {
        const own = await server.send(path);
        assert.match(String(own.headers['x-request-id']), UUID, path);
        const given = await server.send(path, { headers: { 'x-request-id': 'req-1:{"a"}' } });
        assert.equal(given.headers['x-request-id'], 'req-1:{"a"}', path);
      }
    },
  },
  {
    name: 'an id that is no short visible ASCII text is not repeated',
    async run(server) {
      const long = 'x'.repeat(128);
      const kept = await server.send('/livez', { headers: { 'x-request-id': long } });
      assert.equal(kept.headers['x-request-id'], long);
      for (const id of ['', `${long}x`, 'a b', 'a\tb', '\u00e9', ['one', 'two']]) {
        const answer = await server.send('/livez', { headers: { 'x-request-id': id } });
        assert.match(String(answer.headers['x-request-id']), UUID);
      }
    },
  },
  {
    name: 'no web page of another origin may read an answer, nor publish',
    async run(server) {
      const origin = 'https://elsewhere.example';
      const read = await server.send('/stats', { headers: { origin } });
      assert.equal(read.headers['access-control-allow-origin'], undefined);
      // What a page can send without being asked first: a POST without a content type.
      const body = JSON.stringify(server.event());
      for (const from of [origin, 'null', 'http://localhost.elsewhere.example', 'http://127.0.0.1:1']) {
        const answer = await server.storesNothing(
          async () => await server.send('/publish', { method: 'POST', headers: { origin: from }, body }),
        );
        assert.equal(answer.status, 403, answer.text);
        assert.equal(answer.json()['code'], 'origin_refused');
      }
    },
  },
  {
    name: 'a page of its own origin may publish',
    async run(server) {
      const body = JSON.stringify(server.event());
      const origin = new URL(server.url).origin;
      const answer = await server.publishBody(body, { headers: { origin } });
      assert.equal(answer.status, 200, answer.text);
    },
  },
];
