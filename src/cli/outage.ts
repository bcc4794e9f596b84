/** Tells of the first try that failed since an event came: the others say the same. */
export class Outage {
  #isTold = false;

  began(message: string): void {
    if (!this.#isTold) process.stderr.write(`sekali: ${message}; trying again\n`);
    this.#isTold = true;
  }

  ended(): void {
    this.#isTold = false;
  }
}
