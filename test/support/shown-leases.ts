/**
 * A document cannot know the lease that a server will give. So the one that it shows stands for the real one: learned from the answer
 * to a fetch, and put into the requests that name it later.
 */
export class ShownLeases {
  readonly #real = new Map<string, string>();

  learn(shown: string, actual: string): void {
    const [from, to] = [leaseIn(shown), leaseIn(actual)];
    if (from !== undefined && to !== undefined) this.#real.set(from, to);
  }

  /** A request as the server has to get it. */
  replaceIn(request: string): string {
    return [...this.#real].reduce((text, [from, to]) => text.replaceAll(from, to), request);
  }
}

function leaseIn(body: string): string | undefined {
  return /"lease": ?"([0-9a-f]{32})"/.exec(body)?.[1];
}
