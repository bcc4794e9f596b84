/** How often a fault is made to happen. */
export const ROUNDS = 20;

/** Runs something so many times, one after the other, with the number of the round from 0. */
export async function eachRound(run: (round: number) => Promise<void>, rounds = ROUNDS): Promise<void> {
  for (let round = 0; round < rounds; round++) await run(round);
}

/** The one whose turn it is. */
export function inTurn<T>(items: readonly T[], round: number): T {
  return items[round % items.length]!;
}
