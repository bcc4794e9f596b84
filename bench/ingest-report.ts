import type { Machine } from './machine.ts';
import type { ScenarioFigures } from './scenario.ts';

/** What `npm run bench` writes. */
export interface IngestReport {
  readonly command: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly durability: string;
  readonly scenarios: readonly ScenarioFigures[];
}
