import { EVENT_WORDS, type EventPack, KEY } from '../event-pack.ts';

/**
 * For each event of a pack the number of the first one with the same key, itself if it is that.
 *
 * @returns undefined when all keys differ, as they mostly do
 */
export function firstsOf({ words, length }: EventPack): Int32Array | undefined {
  let places = 16;
  while (places < 2 * length) places *= 2;
  const table = new Int32Array(places); // number + 1 of the event at a place
  const firsts = new Int32Array(length);
  let isRepeated = false;
  for (let i = 0; i < length; i++) {
    const at = i * EVENT_WORDS + KEY;
    let place = words[at]! & (places - 1); // keys are hashes: any of their bits will do
    let other = table[place]!;
    while (other !== 0 && !isSameKey(words, at, (other - 1) * EVENT_WORDS + KEY)) {
      place = (place + 1) & (places - 1);
      other = table[place]!;
    }
    if (other === 0) table[place] = i + 1;
    else isRepeated = true;
    firsts[i] = other === 0 ? i : other - 1;
  }
  return isRepeated ? firsts : undefined;
}

function isSameKey(words: Int32Array, at: number, other: number): boolean {
  return (
    words[at] === words[other] &&
    words[at + 1] === words[other + 1] &&
    words[at + 2] === words[other + 2] &&
    words[at + 3] === words[other + 3]
  );
}
