import assert from 'node:assert/strict';
import { assertProblem, type ProtocolCase } from './case.ts';

const READ_PATHS = [
  '/events',
  '/topics',
  '/subscriptions',
  '/conflicts',
  '/stats',
  '/queue/stats',
  '/health',
  '/livez',
  '/readyz',
  '/openapi.json',
  '/docs',
];

export const methodCases: readonly ProtocolCase[] = [
  {
    name: 'an address that does not take a method says which it takes',
    async run(server) {
      const reads = [...READ_PATHS, '/events/a/b'].map((path) => [path, 'GET, HEAD'] as const);
      for (const [path, allow] of [...reads, ['/publish', 'POST'] as const]) {
        const others =
          allow === 'POST' ? ['GET', 'HEAD', 'PUT', 'QUERY'] : ['POST', 'PUT', 'DELETE', 'PATCH'];
        for (const method of [...others, 'OPTIONS', 'PROPFIND']) {
          const answer = await server.send(path, { method });
          assert.deepEqual([answer.status, answer.headers.allow], [405, allow], `${method} ${path}`);
          if (method !== 'HEAD') assertProblem(answer, 405, 'method_refused');
        }
      }
    },
  },
  {
    name: 'a method that is refused stores nothing, whatever its body',
    async run(server) {
      const body = JSON.stringify(server.event());
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const answer = await server.storesNothing(
          async () => await server.send('/publish', { method, headers: { 'content-type': 'text/x' }, body }),
        );
        assertProblem(answer, 405, 'method_refused');
      }
    },
  },
  {
    name: 'HEAD answers as GET does, without the body',
    async run(server) {
      await server.publish(server.event());
      for (const path of [...READ_PATHS, `/events/${server.topic()}/order-1`]) {
        const get = await server.send(path);
        const head = await server.send(path, { method: 'HEAD' });
        assert.equal(head.status, 200, path);
        assert.equal(head.body.length, 0);
        assert.equal(head.headers['content-type'], get.headers['content-type'], path);
      }
      const lines = await server.send('/events', {
        method: 'HEAD',
        headers: { accept: 'application/x-ndjson' },
      });
      assert.equal(lines.headers['content-type'], 'application/x-ndjson');
      const never = await server.send('/events/never/stored', { method: 'HEAD' });
      assert.equal(never.status, 404);
    },
  },
  {
    name: 'there is nothing at any other address, for any method',
    async run(server) {
      for (const path of [
        '/',
        '/nothing',
        '/publish/',
        '/Publish',
        '/events/',
        '/events/a/b/c',
        '/../etc/passwd',
        '//events',
      ]) {
        for (const method of ['GET', 'POST', 'QUERY']) {
          const answer = await server.send(path, { method, headers: { 'content-type': ';' }, body: 'x' });
          assertProblem(answer, 404, 'route_unknown');
        }
      }
    },
  },
];
