/**
 * How often a fault is made to happen, unless `SEKALI_TEST_ROUNDS` says it: once at each of the seven steps of a worker. Twenty is what a
 * cluster is held to; `.ci/run` does it in one of its two runs, for it takes two minutes more.
 */
export const ROUNDS = Number(process.env['SEKALI_TEST_ROUNDS'] ?? 7);

/** Runs something so many times, one after the other, with the number of the round from 0. */
export async function eachRound(run: (round: number) => Promise<void>, rounds = ROUNDS): Promise<void> {
  for (let round = 0; round < rounds; round++) await run(round);
}

/** The one whose turn it is. */
export function inTurn<T>(items: readonly T[], round: number): T {
  return items[round % items.length]!;
}
