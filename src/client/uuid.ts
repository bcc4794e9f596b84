/** Makes UUIDs of version 7 (RFC 9562, section 5.7): those made later are greater, also within a millisecond. */
export class UuidMaker {
  readonly #nowMs: () => number;
  #lastMs = 0;
  #counter = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  next(): string {
    const random = crypto.getRandomValues(new Uint8Array(10));
    const nowMs = this.#nowMs();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      // 11 of the 12 bits: the first one leaves room to count up (section 6.2, method 1).
      this.#counter = ((random[0]! << 8) | random[1]!) & 0x7ff;
    } else if (++this.#counter > 0xfff) {
      // More than the millisecond holds, or a clock that went back: the next one is begun early.
      this.#lastMs++;
      this.#counter = 0;
    }
    const time = hex(this.#lastMs, 12);
    const tail = [...random.subarray(2)].map((byte) => hex(byte, 2)).join('');
    const variant = hex((random[2]! & 0x3f) | 0x80, 2);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(this.#counter, 3)}-${variant}${tail.slice(2, 4)}-${tail.slice(4)}`;
  }
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}
