import assert from 'node:assert/strict';
import type { HealthAnswer } from '../../../src/protocol/wire.ts';
import { assertProblem, type ProtocolCase } from './case.ts';

export const healthCases: readonly ProtocolCase[] = [
  {
    name: 'a server that can store is healthy, live and ready',
    async run(server) {
      const { uptime_seconds, ...health } = await server.read<HealthAnswer>('/health');
      assert.deepEqual(health, { status: 'healthy', database: true, queue: true });
      assert.ok(uptime_seconds > 0);
      for (const path of ['/livez', '/readyz']) {
        const answer = await server.send(path);
        assert.deepEqual(
          [answer.status, answer.text, answer.headers['content-type']],
          [200, 'ok\n', 'text/plain; charset=utf-8'],
        );
      }
    },
  },
  {
    name: '/readyz?verbose names each part',
    async run(server) {
      for (const query of ['verbose', 'verbose=', 'verbose=true']) {
        const { text } = await server.send(`/readyz?${query}`);
        // Between parts and verdict there may be remarks, as on a queue server.
        const lines = text.split('\n').filter((line) => !line.startsWith('[i] '));
        assert.deepEqual(lines, ['[+] server: ok', '[+] database: ok', '[+] queue: ok', 'ok', '']);
      }
      assert.equal((await server.send('/readyz?verbose=0')).text, 'ok\n');
      assertProblem(await server.send('/readyz?verbose=perhaps'), 422, 'parameter_invalid');
      assert.equal((await server.send('/readyz?exclude=database,queue')).text, 'ok\n');
      for (const list of ['', 'server', 'database,', 'database+queue', 'Queue'])
        assertProblem(await server.send(`/readyz?exclude=${list}`), 422, 'parameter_invalid');
    },
  },
];
