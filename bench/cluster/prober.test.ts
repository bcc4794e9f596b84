import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Prober } from './prober.ts';

const DELAY_MS = 60;
const PROBES = 10;

test('an event counts as readable once a reader has it, and each is waited for', async (t) => {
  const server = await serve(t, { status: 200, delayMs: DELAY_MS });
  const enough = new AbortController();
  server.onPublished = (number) => number === PROBES && enough.abort();
  const { probes, fromAnswerMs, fromSendMs } = await new Prober(server.url, server.url).run(enough.signal);
  // The one after the last one may be on its way already.
  assert.ok(probes >= PROBES && probes <= PROBES + 2, `${probes} probes`);
  assert.ok(fromAnswerMs.p50 >= DELAY_MS - 10, JSON.stringify(fromAnswerMs));
  assert.ok(fromSendMs.p50 >= fromAnswerMs.p50);
});

test('an event that is read twice ends the run', async (t) => {
  const server = await serve(t, { status: 200, delayMs: 0, repeats: true });
  await assert.rejects(new Prober(server.url, server.url).run(new AbortController().signal), /read twice/);
});

test('an answer that is no acknowledgement ends the run', async (t) => {
  const server = await serve(t, { status: 503, delayMs: 0 });
  await assert.rejects(new Prober(server.url, server.url).run(new AbortController().signal), /answered 503/);
});

/** Acknowledges at once what it shows to readers some time later. */
async function serve(t: TestContext, how: { status: number; delayMs: number; repeats?: boolean }) {
  const shown: { event_id: string; position: number }[] = [];
  const served = { url: '', onPublished: (_number: number): unknown => undefined };
  let published = 0;
  const server = createServer((request, response) => {
    const reply = (status: number, body: object) => {
      const text = JSON.stringify(body);
      response.writeHead(status, { 'content-length': text.length }).end(text);
    };
    if (request.method === 'GET') {
      const after = Number(new URL(request.url ?? '', 'http://x').searchParams.get('after'));
      reply(200, { events: shown.filter(({ position }) => how.repeats || position > after) });
      return;
    }
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const { event_id } = JSON.parse(body) as { event_id: string };
      setTimeout(() => shown.push({ event_id, position: shown.length + 1 }), how.delayMs);
      reply(how.status, { queued: 1 });
      served.onPublished(++published);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return served;
}
