import { crash } from './crash-step.ts';
import { moderateLoad, parallelLoad } from './load-steps.ts';
import type { Step } from './step.ts';
import { conflict, duplicateInBatch, oneEvent, threeTimes } from './verdict-steps.ts';

/** The tour, in its order. */
export const STEPS: readonly Step[] = [
  oneEvent,
  threeTimes,
  duplicateInBatch,
  conflict,
  moderateLoad,
  parallelLoad,
  crash,
];
