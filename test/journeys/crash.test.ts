/** Faults 1 and 2: the process is killed at any moment; an answer is lost. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { FAILPOINTS } from '../../src/failpoint.ts';
import { Ledger, readAll } from '../support/ledger.ts';
import { makeEvent, makeEvents } from '../support/make-events.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

const KILLS = 50;
const PUBLISHERS = 4;

test(`kill -9 at random moments under load, ${KILLS} times, loses and doubles nothing`, {
  timeout: 240_000,
}, async (t) => {
  const dataDir = tempDir(t);
  const ledger = new Ledger();
  const restartsMs: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const startedAt = performance.now();
    const server = await startServerProcess(t, { dataDir });
    restartsMs.push(performance.now() - startedAt);
    await publishUntilKilled(server, ledger, kill);
  }
  const server = await startServerProcess(t, { dataDir });
  const client = server.client();
  await ledger.check(client);
  await ledger.settle(client);
  const stats = await ledger.check(client);
  assert.equal(stats.unique_processed, ledger.sent.size);
  assert.ok(ledger.sent.size > KILLS * 100, `only ${ledger.sent.size} events were sent`);
  const median = restartsMs.sort((left, right) => left - right)[KILLS / 2] ?? 0;
  assert.ok(median < 2000, `ready again after ${median} ms, in the median`);
});

/** Several publishers send batches, old events among them, until the server is killed in their midst. */
async function publishUntilKilled(server: ServerProcess, ledger: Ledger, kill: number): Promise<void> {
  const client = server.client();
  const batches = 2 + Math.floor(Math.random() * 40);
  let answered = 0;
  const publish = async (publisher: number) => {
    for (let batch = 0; ; batch++) {
      const events = makeEvents(20, `${kill}-${publisher}-${batch}-`);
      if (batch > 0) events.push(...makeEvents(5, `${kill}-${publisher}-${batch - 1}-`));
      if (!(await ledger.publish(client, events))) return;
      answered++;
      // Not after this answer, but at whatever the other publishers' requests are in the middle of.
      if (answered === batches) server.child.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, (_, publisher) => publish(publisher)));
  await server.stop('SIGKILL');
}

for (const point of FAILPOINTS) {
  test(`a crash at ${point} loses and doubles nothing`, async (t) => {
    const dataDir = tempDir(t);
    const ledger = new Ledger();
    const doomed = await startServerProcess(t, { dataDir, env: { SEKALI_FAILPOINT: `${point}:3` } });
    let answered = 0;
    while (
      await ledger.publish(doomed.client(), [
        ...makeEvents(10, `${answered}-`),
        ...makeEvents(5, `${answered}-`),
      ])
    ) {
      answered++;
      assert.ok(answered <= 3, 'the failpoint was not reached');
    }
    // After `answer.after` the answer is out of the ingest thread's hands, and may just have made it out of the process.
    assert.ok(
      answered === 2 || (answered === 3 && point === 'answer.after'),
      `${answered} groups were answered`,
    );

    const server = await startServerProcess(t, { dataDir });
    const client = server.client();
    // A crash before the commit leaves nothing of the third group, a crash after it all of it.
    const before = await ledger.check(client);
    const committed = ['commit.after', 'answer.before', 'answer.after'].includes(point);
    assert.equal(before.unique_processed, committed ? 30 : 20);
    await ledger.settle(client);
    assert.equal((await ledger.check(client)).unique_processed, ledger.sent.size);
  });
}

test('a retry while the first try still runs, its answer lost, stores the event once', async (t) => {
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const client = server.client();
  for (let round = 0; round < 20; round++) {
    const event = makeEvent({ event_id: `lost-${round}` });
    await sendAndHangUp(server.url, JSON.stringify(event));
    const { processed, duplicates } = await client.publish([event]);
    assert.equal((processed ?? 0) + (duplicates ?? 0), 1);
  }
  assert.equal((await readAll(client)).length, 20);
});

/** Sends a whole publish request, and cuts the connection without waiting for its answer. */
async function sendAndHangUp(url: string, body: string): Promise<void> {
  const { hostname, port } = new URL(url);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      const head = `POST /publish HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      socket.end(head + body, () => {
        socket.destroy();
        resolve();
      });
    });
    socket.once('error', reject);
  });
}
