export interface LatencySummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Every latency of a run, in milliseconds; none is rounded away before the percentiles are taken. */
export class Latencies {
  #values = new Float64Array(4096);
  #length = 0;

  add(ms: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = ms;
  }

  summary(): LatencySummary {
    const sorted = this.#values.slice(0, this.#length).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50: round(at(0.5)), p99: round(at(0.99)), max: round(at(1)) };
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
