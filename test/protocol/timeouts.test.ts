/** Slow and half-open connections: each is closed by the server, and what it held is given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueAnswer, StatsAnswer } from '../../src/protocol/wire.ts';
import { type Answer, RawConnection, requestText, send } from '../support/http.ts';
import { makeEvent } from '../support/make-events.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { assertProblem } from './suite/case.ts';

/** Sends a byte now and then, for as long as the connection is there. */
function trickle(connection: RawConnection, byte: string): void {
  const timer = setInterval(() => connection.write(byte), 50);
  void connection.closed.then(() => clearInterval(timer));
}

async function timedOut(connection: RawConnection): Promise<Answer> {
  const answer = await connection.answer();
  assertProblem(answer, 408, 'request_timeout');
  assert.equal(answer.headers.connection, 'close');
  await connection.closed;
  return answer;
}

const SLOW = ['--headers-timeout-ms', '300', '--request-timeout-ms', '600'];
const PUBLISH = { 'content-type': 'application/json' };

test('headers that do not come, or do not end, are waited for no longer than allowed', async (t) => {
  const { url } = await startServerProcess(t, { dataDir: tempDir(t), args: SLOW });
  const silent = await RawConnection.open(url);
  const half = await RawConnection.open(url);
  half.write('GET /livez HTTP/1.1\r\nhost: loc');
  const slow = await RawConnection.open(url);
  slow.write('GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ');
  trickle(slow, 'x');
  await Promise.all([silent, half, slow].map(timedOut));
  assert.equal((await send(url, '/livez')).status, 200);
});

test('a body that does not come, or does not end, is waited for no longer than allowed, and its room given back', async (t) => {
  const { url } = await startServerProcess(t, { dataDir: tempDir(t), args: SLOW });
  const body = JSON.stringify(makeEvent());
  const slow = await RawConnection.open(url);
  slow.write(requestText('POST /publish', { ...PUBLISH, 'content-length': '100000' }, body));
  trickle(slow, ' ');
  // It takes no hint: the server has to cut it off.
  const silent = await RawConnection.open(url, { allowHalfOpen: true });
  silent.write(requestText('POST /publish', { ...PUBLISH, 'content-length': String(body.length + 1) }, body));
  const chunked = await RawConnection.open(url);
  chunked.write(
    requestText(
      'POST /publish',
      { ...PUBLISH, 'transfer-encoding': 'chunked' },
      `${body.length.toString(16)}\r\n${body}\r\n`,
    ),
  );
  await Promise.all([slow, chunked].map(timedOut));
  assertProblem(await silent.answer(), 408, 'request_timeout');
  await until('the room is given back', async () => {
    const queue = (await send(url, '/queue/stats')).json<QueueAnswer>();
    return queue.queue_bytes === 0;
  });
  assert.equal((await send(url, '/stats')).json<StatsAnswer>().received, 0);
  silent.cut();
});

test('a refused client that goes on sending is cut off in the end', async (t) => {
  const { url } = await startServerProcess(t, { dataDir: tempDir(t), args: SLOW });
  const stubborn = await RawConnection.open(url);
  stubborn.write(requestText('POST /publish', { ...PUBLISH, 'content-length': '1000000000' }));
  assertProblem(await stubborn.answer(), 413, 'body_too_large');
  trickle(stubborn, ' ');
  assert.equal(await stubborn.rest(), '', 'a second answer was sent');
});

test('a connection on which nothing happens is closed, before and after a request', async (t) => {
  const args = ['--idle-timeout-ms', '300'];
  const { url } = await startServerProcess(t, { dataDir: tempDir(t), args });
  const silent = await RawConnection.open(url);
  const idle = await RawConnection.open(url);
  idle.write(requestText('GET /livez'));
  assert.equal((await idle.answer()).text, 'ok\n');
  const stuck = await RawConnection.open(url);
  stuck.write(requestText('POST /publish', { ...PUBLISH, 'content-length': '1000' }, '{'));
  await Promise.all([silent.closed, idle.closed, stuck.closed]);
  assert.equal((await send(url, '/stats', { agent: false })).json<StatsAnswer>().received, 0);
});

test('the server starts with more time for headers than for a request', async (t) => {
  const args = ['--headers-timeout-ms', '3600000', '--request-timeout-ms', '200'];
  const { url } = await startServerProcess(t, { dataDir: tempDir(t), args });
  await timedOut(await RawConnection.open(url));
});
