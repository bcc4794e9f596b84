/**
 * The thread that seals hot tables, merges generations and removes files, beside the thread that commits. It knows files and nothing else:
 * what it has made counts once the store has written it to its manifest.
 *
 * Sealing goes first, for a hot table that waits is memory: a merge works in slices, and what came meanwhile is sealed
 * between two of them.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { SekaliError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import { giveWay } from './background-priority.ts';
import type { ForgetBefore } from './forget.ts';
import type { Generation, LoadedGeneration } from './generation.ts';
import { mergeGenerations } from './merge-generations.ts';
import { sealEntries } from './seal-entries.ts';

export interface SealJob {
  readonly kind: 'seal';
  /** Over shared memory. */
  readonly words: Int32Array;
  readonly count: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly forgetBefore: ForgetBefore;
}

export interface MergeJob {
  readonly kind: 'merge';
  readonly inputs: readonly Generation[];
  readonly forgetBefore: ForgetBefore;
}

/** Removing half a gigabyte of files takes a tenth of a second: too long for the thread that commits. */
export interface RemoveJob {
  readonly kind: 'remove';
  readonly names: readonly string[];
}

export type Job = SealJob | MergeJob | RemoveJob;

/** Of each kind of job, outcomes come in the order of the jobs. */
export interface Outcome {
  readonly kind: Job['kind'];
  /** Undefined when all keys were forgotten. */
  readonly made?: LoadedGeneration | undefined;
  readonly failure?: { readonly code: string | undefined; readonly detail: string } | undefined;
}

/** The directory and its owner. */
export interface SealThreadData {
  readonly dir: string;
  readonly owner: Uint8Array;
}

giveWay();
const port = parentPort!;
const { dir, owner } = workerData as SealThreadData;
const seals: SealJob[] = [];
const merges: Generator<void, LoadedGeneration | undefined>[] = [];
let isAwake = false;

port.on('message', (job: Job) => {
  switch (job.kind) {
    case 'seal':
      seals.push(job);
      break;
    case 'merge':
      merges.push(mergeGenerations({ dir, owner, inputs: job.inputs, forgetBefore: job.forgetBefore }));
      break;
    case 'remove':
      tell('remove', () => remove(job.names));
      break;
  }
  wake();
});

/** Lets messages in between one piece of work and the next. */
function wake(): void {
  if (isAwake || (seals.length === 0 && merges.length === 0)) return;
  isAwake = true;
  setImmediate(() => {
    isAwake = false;
    work();
    wake();
  });
}

function work(): void {
  const seal = seals.shift();
  const merge = merges[0];
  if (seal !== undefined) {
    tell('seal', () => finished(sealEntries({ ...seal, dir, owner, origin: 'seal' })));
  } else if (merge !== undefined && tell('merge', () => merge.next())) {
    merges.shift();
  }
}

function remove(names: readonly string[]) {
  for (const name of names) rmSync(join(dir, name), { force: true });
  return finished(undefined);
}

function finished(value: LoadedGeneration | undefined): IteratorReturnResult<LoadedGeneration | undefined> {
  return { done: true, value };
}

/** @returns whether the job has come to its end, which has been told then */
function tell(
  kind: Outcome['kind'],
  step: () => IteratorResult<void, LoadedGeneration | undefined>,
): boolean {
  let outcome: Outcome;
  try {
    const result = step();
    if (!result.done) return false;
    outcome = { kind, made: result.value };
  } catch (error) {
    outcome = { kind, failure: failureOf(error) };
  }
  port.postMessage(outcome);
  return true;
}

function failureOf(error: unknown): Outcome['failure'] {
  return {
    code: error instanceof SekaliError ? error.code : undefined,
    detail: messageOf(error),
  };
}
