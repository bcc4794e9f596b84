/**
 * A document cannot know the lease that a server will give, nor the version. So the one that it shows stands for the real one: learned from
 * the answer to a fetch or a put, and put into the requests that name it later.
 */
export class ShownLeases {
  readonly #real = new Map<string, string>();

  learn(shown: string, actual: string): void {
    const real = idsIn(actual);
    for (const [i, from] of idsIn(shown).entries()) if (real[i] !== undefined) this.#real.set(from, real[i]);
  }

  /** A request as the server has to get it, or of an answer what is not in its body. */
  replaceIn(text: string): string {
    return [...this.#real].reduce((replaced, [from, to]) => replaced.replaceAll(from, to), text);
  }
}

function idsIn(body: string): string[] {
  return [...body.matchAll(/"(?:lease|version)": ?"([0-9a-f]{32})"/g)].map(([, id = '']) => id);
}
