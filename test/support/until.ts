import { setTimeout as pause } from 'node:timers/promises';

/** Asks again and again until a fact holds, and fails when it does not within a bound that only a fault can reach. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUpAt) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await pause(10);
  }
}
