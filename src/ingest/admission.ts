/** Bounds on what may be in the house at once, from the first byte read to the answer. */
export interface AdmissionLimits {
  /** Bytes of bodies that are being read, decompressed or committed. */
  readonly bytesMax: number;
  /** Requests with such a body. */
  readonly requestsMax: number;
}

/**
 * Admits requests while there is room, and refuses them otherwise: memory stays bounded however many connections push.
 * A refused publisher is told to come back; nothing of its request is kept.
 *
 * A request that says how long its body is takes that room before its first byte is read. It could be charged as bytes
 * come instead, but then many large bodies that arrive together would all run out of room half-way, and none would
 * ever get in.
 */
export class Admission {
  readonly limits: AdmissionLimits;
  #bytes = 0;
  #requests = 0;

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get requests(): number {
    return this.#requests;
  }

  get isFull(): boolean {
    return this.#requests >= this.limits.requestsMax || this.#bytes >= this.limits.bytesMax;
  }

  /** @returns undefined when there is no room for this many bytes now */
  admit(bytes: number): Ticket | undefined {
    if (this.#requests >= this.limits.requestsMax || this.#bytes + bytes > this.limits.bytesMax)
      return undefined;
    this.#requests++;
    this.#bytes += bytes;
    return new Ticket(
      bytes,
      (change) => this.#charge(change),
      () => this.#requests--,
    );
  }

  #charge(change: number): boolean {
    if (change > 0 && this.#bytes + change > this.limits.bytesMax) return false;
    this.#bytes += change;
    return true;
  }
}

/** The room that one request takes, until it is released. */
export class Ticket {
  #bytes: number;
  readonly #charge: (change: number) => boolean;
  readonly #leave: () => void;
  #released = false;

  constructor(bytes: number, charge: (change: number) => boolean, leave: () => void) {
    this.#bytes = bytes;
    this.#charge = charge;
    this.#leave = leave;
  }

  /** Makes the room this large. Getting smaller always works; false when there is no room to grow. */
  resize(bytes: number): boolean {
    if (this.#released || !this.#charge(bytes - this.#bytes)) return false;
    this.#bytes = bytes;
    return true;
  }

  /** Gives the room back; a second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.resize(0);
    this.#released = true;
    this.#leave();
  }
}
