/** A promise of the project, and what was measured of it. */
export interface Target {
  readonly what: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly unit: string;
  /** Undefined where it could not be measured; then it is not met. */
  readonly figure: number | undefined;
  readonly met: boolean;
}

export function atLeast(what: string, least: number, unit: string, figure: number | undefined): Target {
  return { what, atLeast: least, unit, figure, met: figure !== undefined && figure >= least };
}

export function atMost(what: string, most: number, unit: string, figure: number | undefined): Target {
  return { what, atMost: most, unit, figure, met: figure !== undefined && figure <= most };
}
