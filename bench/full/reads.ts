import { Connection } from '../load/connection.ts';
import { idOf, TOPICS, topicOf } from '../load/event-text.ts';
import { Latencies, type LatencySummary } from '../load/latencies.ts';
import type { LoadedServer } from '../scenario.ts';

const PAGES = 500;
const PAGE_LIMIT = 1000;
const IDS = 3000;

export interface ReadFigures {
  readonly pagesMs: LatencySummary;
  readonly idsMs: LatencySummary;
}

/** Reads from random places of a server that has nothing else to do, one question at a time. */
export async function measureReads(loaded: LoadedServer): Promise<ReadFigures> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const connection = await Connection.open(loaded.server.url, failed.reject);
  try {
    return await Promise.race([failed.promise, readAll(connection, loaded)]);
  } finally {
    connection.close();
  }
}

async function readAll(connection: Connection, loaded: LoadedServer): Promise<ReadFigures> {
  const { host } = new URL(loaded.server.url);
  const ask = async (path: string, latencies: Latencies, mustHave: string) => {
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const sentAt = performance.now();
    const { status, body } = await connection.ask(request);
    latencies.add(performance.now() - sentAt);
    if (status !== 200 || !body.includes(mustHave)) throw new Error(`${path}: ${status}, no ${mustHave}`);
  };

  const pages = new Latencies();
  // Far enough from the end for a whole page of the topic.
  const last = Math.max(0, loaded.stored - 2 * PAGE_LIMIT * TOPICS);
  for (let i = 0; i < PAGES; i++) {
    const path = `/events?topic=${topicOf(i)}&after=${random(last)}&limit=${PAGE_LIMIT}`;
    await ask(path, pages, `"count":${PAGE_LIMIT},`);
  }
  const ids = new Latencies();
  for (let i = 0; i < IDS; i++) {
    const number = random(loaded.stored);
    const id = idOf(number, loaded.seed);
    await ask(`/events/${topicOf(number)}/${id}`, ids, `"event_id":"${id}"`);
  }
  return { pagesMs: pages.summary(), idsMs: ids.summary() };
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
