/** The next number of a sequence, 0 ≤ n < 1. */
export type Random = () => number;

/**
 * A sequence of numbers that depends on the key alone, on every machine and in every version: mulberry32 (Tommy
 * Ettinger, public domain). `Math.random` takes no seed, and nothing here has to be unpredictable.
 *
 * @param key integers from 0 to 2^53 - 1
 */
export function seededRandom(...key: number[]): Random {
  let state = 0;
  for (const part of key) {
    state = mix(state ^ (part >>> 0));
    state = mix(state ^ Math.floor(part / 2 ** 32));
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The finaliser of MurmurHash3: neighbouring keys (event 1, event 2) start far from each other. */
function mix(state: number): number {
  let bits = (state + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
