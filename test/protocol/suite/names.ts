import assert from 'node:assert/strict';
import type { EventAnswer } from '../../../src/protocol/wire.ts';
import { addressOf, assertProblem, type ProtocolCase } from './case.ts';

/** Names that are valid, and hard on what stands between a program and the store. */
const NAMES: readonly string[] = [
  'a/b',
  'a%2Fb',
  '100%',
  '%',
  '%00',
  'a+b',
  'a b',
  ' a ',
  'a?b=c&d#e',
  'a;b',
  'a:b@c',
  '..',
  '.',
  '*',
  ':event_id',
  '"quoted"',
  "'; DROP TABLE events; --",
  'back\\slash',
  '<script>alert(1)</script>',
  '__proto__',
  'null',
  '0',
  'é',
  'e\u0301',
  '日本語',
  '😀',
  '\u200b',
  '\ufeffx',
  '\u2028x',
  'ﬃ',
  'İ',
];

export const nameCases: readonly ProtocolCase[] = [
  ...NAMES.map(
    (name): ProtocolCase => ({
      name: `a name is kept as it is: ${JSON.stringify(name)}`,
      async run(server) {
        const event = server.event({ topic: server.topic(name), event_id: name, source: name });
        await server.publish(event);
        const found = await server.read<EventAnswer>(addressOf(event));
        assert.deepEqual([found.topic, found.event_id, found.source], [event.topic, name, name]);
        const { events } = await server.page({ topic: event.topic, source: name });
        assert.deepEqual(
          events.map(({ event_id }) => event_id),
          [name],
        );
      },
    }),
  ),
  {
    name: 'names that look alike are different keys',
    async run(server) {
      const alike = ['a', 'A', 'a ', ' a', 'á', 'a\u0301', 'а', 'ａ', 'a\u200b', 'a%20', 'a+'];
      const events = alike.map((event_id) => server.event({ event_id }));
      assert.deepEqual(
        await server.verdicts(...events),
        alike.map(() => 'stored'),
      );
      for (const event_id of alike) {
        assert.equal(
          (await server.read<EventAnswer>(addressOf(server.event({ event_id })))).event_id,
          event_id,
        );
      }
    },
  },
  {
    name: 'a name may have 255 characters of four bytes each, and is found by its address',
    async run(server) {
      const topic = server.topic().padEnd(255, 'x').slice(0, 255);
      const event_id = '😀'.repeat(255);
      await server.publish(server.event({ topic, event_id }));
      assert.equal((await server.read<EventAnswer>(addressOf({ topic, event_id }))).event_id, event_id);
    },
  },
  {
    name: 'one event is read with its receipt; never stored is 404, whatever the name',
    async run(server) {
      const event = server.event({ sequence: 7 });
      const [receipt] = (await server.publish(event)).results;
      const found = await server.read<EventAnswer>(addressOf(event));
      assert.deepEqual(found, {
        position: receipt?.position,
        ...event,
        processed_at: receipt?.first_seen_at,
        receipt: { verdict: 'stored', position: receipt?.position, first_seen_at: receipt?.first_seen_at },
        conflicts: [],
      });
      const never = ['other', 'x'.repeat(256), 'x'.repeat(5000), 'a\u0000b', ' ', '%'];
      for (const event_id of never) {
        const answer = await server.send(addressOf({ ...event, event_id }));
        assertProblem(answer, 404, 'event_unknown');
        assertProblem(
          await server.send(addressOf({ topic: event_id, event_id: event.event_id })),
          404,
          'event_unknown',
        );
      }
    },
  },
  {
    name: 'an address that is not percent-encoded UTF-8 is 400',
    async run(server) {
      for (const path of [
        '/events/%',
        '/events/%zz/a',
        '/events/a/%F',
        '/events/%ff/a',
        '/events/%ED%A0%80/a',
        '/%',
      ]) {
        assertProblem(await server.send(path), 400, 'request_invalid');
      }
    },
  },
];
