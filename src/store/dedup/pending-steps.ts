import type { Generation, Step } from './generation.ts';
import type { GenerationFile } from './generation-file.ts';
import type { HotTable } from './hot-table.ts';

/** A part of a step: one seal, merge, drop or rebuild. */
export interface Change extends Step {
  /** Of what is added, the files that are not looked up yet; open. */
  readonly files: readonly GenerationFile[];
  /** The table that was sealed. */
  readonly table?: HotTable;
}

/** Changes that the manifest does not have yet: those that have been handed out as a step, and those that came since. */
export class PendingSteps {
  #waiting: Change[] = [];
  #out: { step: Step; changes: readonly Change[] } | undefined;

  push(change: Change): void {
    this.#waiting.push(change);
  }

  /** All changes, oldest first. */
  get changes(): Change[] {
    return [...(this.#out?.changes ?? []), ...this.#waiting];
  }

  /** Generations that some change is about to remove. */
  get removed(): Generation[] {
    return this.changes.flatMap(({ remove }) => remove);
  }

  /** The step to be written; the same until it is taken. */
  get ready(): Step | undefined {
    if (this.#out === undefined && this.#waiting.length > 0) {
      this.#out = { step: stepOf(this.#waiting), changes: this.#waiting };
      this.#waiting = [];
    }
    return this.#out?.step;
  }

  /** Takes the step that has been written. @returns what it was made of */
  take(step: Step): readonly Change[] {
    if (this.#out?.step !== step) throw new Error('this is not the step that was ready');
    const { changes } = this.#out;
    this.#out = undefined;
    return changes;
  }

  /** Closes the files that nobody else has, and drops all. */
  close(): void {
    for (const file of this.changes.flatMap(({ files }) => files)) file.close();
    this.#waiting = [];
    this.#out = undefined;
  }
}

/** One step of all changes: what one of them adds, no other removes, for only adopted generations are merged or dropped. */
function stepOf(changes: readonly Change[]): Step {
  const sealedThrough = Math.max(0, ...changes.map((change) => change.sealedThrough ?? 0));
  return {
    add: changes.flatMap(({ add }) => add),
    remove: changes.flatMap(({ remove }) => remove),
    ...(sealedThrough > 0 ? { sealedThrough } : {}),
  };
}
