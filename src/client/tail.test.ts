import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sekali } from './index.ts';

/** Connections of a stream, one after the other: each answers with its text and then ends, hangs, or was refused. */
function streams(...connections: { text?: string; hangs?: boolean; status?: number }[]) {
  const asked: { query: Record<string, string>; lastEventId: string | undefined }[] = [];
  const fake = async (url: string, { headers, signal }: RequestInit) => {
    const lastEventId = (headers as Record<string, string>)['last-event-id'];
    asked.push({ query: Object.fromEntries(new URL(url).searchParams), lastEventId });
    const connection = connections.shift();
    if (connection === undefined) throw new Error('nobody is there');
    const { text = '', hangs = false, status = 200 } = connection;
    if (status !== 200) return Response.json({ code: 'key_wrong', detail: 'no' }, { status });
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        if (!hangs) controller.close();
        signal?.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body);
  };
  return { asked, fetch: fake as typeof fetch };
}

const frame = (position: number) => `id: ${position}\ndata: {"position":${position}}\n\n`;
const place = (position: number) => `id: ${position}\n\n`;

async function take(sekali: Sekali, count: number, options = {}): Promise<number[]> {
  const positions: number[] = [];
  for await (const { position } of sekali.tail('orders.>', options)) {
    positions.push(position);
    if (positions.length === count) break;
  }
  return positions;
}

const backoff = { firstMs: 0, maxMs: 0 };

test('after a break the stream is opened anew where it was: at the last event, or a later place', async () => {
  const { asked, fetch } = streams(
    { text: place(4) + frame(5) + place(9) },
    {},
    { text: place(9) + frame(12) + frame(13).slice(0, -1) },
    { text: place(12) + frame(13) },
  );
  assert.deepEqual(await take(new Sekali({ fetch, backoff }), 3, { after: 4, source: 's' }), [5, 12, 13]);
  assert.deepEqual(
    asked.map(({ lastEventId }) => lastEventId),
    ['4', '9', '9', '12'],
  );
  assert.deepEqual(asked[0]?.query, { topic: 'orders.>', source: 's', after: '4' });
});

test('one who is told that it lags goes on behind what it has, and gets nothing twice', async () => {
  const lagged = 'event: lagged\nid: 4\ndata: {"after":4}\n\n';
  const { asked, fetch } = streams(
    { text: place(4) + frame(5) + frame(6) + lagged },
    { text: place(6) + frame(7) },
  );
  assert.deepEqual(await take(new Sekali({ fetch, backoff }), 3, { after: 4 }), [5, 6, 7]);
  assert.equal(asked[1]?.lastEventId, '6');
});

test('a connection on which nothing comes is given up', async () => {
  const { fetch } = streams({ text: place(4), hangs: true }, { text: place(4) + frame(5) });
  const told: string[] = [];
  const sekali = new Sekali({ fetch, backoff, onRetry: ({ message }) => void told.push(message) });
  assert.deepEqual(await take(sekali, 1, { after: 4, heartbeatMs: 10 }), [5]);
  assert.match(told[0] ?? '', /nothing came for 30 ms/);
});

test('the signal ends the loop without an error: while it waits for events, and for a server', async () => {
  for (const connection of [{ text: place(4), hangs: true }, { status: 503 }]) {
    const { fetch } = streams(connection);
    const stop = new AbortController();
    const sekali = new Sekali({ fetch, backoff: { firstMs: 60_000, maxMs: 60_000 } });
    setImmediate(() => stop.abort());
    assert.deepEqual(await take(sekali, 1, { signal: stop.signal }), []);
  }
});

test('what a retry cannot help is thrown, and so is what the loop throws', async () => {
  const { fetch } = streams({ status: 401 }, { text: frame(5) });
  const sekali = new Sekali({ fetch, backoff });
  await assert.rejects(take(sekali, 1), { code: 'key_wrong' });
  await assert.rejects(async () => {
    for await (const event of sekali.tail('orders')) throw new Error(`no room for ${event.position}`);
  }, /no room for 5/);
});
