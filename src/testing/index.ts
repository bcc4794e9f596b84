export type { WireStoredEvent } from '../protocol/wire.ts';
export type { FailureKind, FailureOptions, PlannedFailure } from './failure-options.ts';
export { startSekali } from './start-sekali.ts';
export type { TestSekali, TestSekaliOptions } from './test-sekali.ts';
