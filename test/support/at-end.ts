import type { TestContext } from 'node:test';

type Ending = () => unknown;

const endings = new WeakMap<object, Ending[]>();

/**
 * Undoes something when the test ends: what was made last goes first. (`t.after` alone runs its hooks in the order they
 * were given: a directory made before the server that works in it was removed under that server, whose threads may be just
 * about to make a file there; then the directory is not empty, and a test that has passed fails.)
 */
export function atEnd(t: Pick<TestContext, 'after'>, ending: Ending): void {
  const known = endings.get(t);
  if (known !== undefined) {
    known.push(ending);
    return;
  }
  const made = [ending];
  endings.set(t, made);
  t.after(() => endAll(made));
}

/** All of them are run, whichever fail; the first failure is told. */
async function endAll(made: Ending[]): Promise<void> {
  const failures: unknown[] = [];
  for (let ending = made.pop(); ending !== undefined; ending = made.pop()) {
    try {
      await ending();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
