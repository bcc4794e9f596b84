import { displayWidth, printable, shorten } from './display-text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** How narrow the column may become when not all fit; one without it is never shortened. */
  readonly widthMin?: number;
  text(row: Row): string;
}

const GAP = '  ';

/**
 * Lays rows out in aligned columns, the titles first. What does not fit is taken from the widest columns that may be
 * shortened.
 *
 * @param width columns of the terminal; exceeded when even the shortest form needs more
 * @returns the lines, without line breaks
 */
export function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((column) => cellOf(column, row, width))),
  ];
  const natural = columns.map((_, at) => Math.max(...cells.map((line) => displayWidth(line[at] ?? ''))));
  const widths = fit(columns, natural, width - GAP.length * (columns.length - 1));
  return cells.map((line) =>
    line
      .map((cell, at) => pad(shorten(cell, widths[at] ?? 0), widths[at] ?? 0, columns[at]?.align))
      .join(GAP)
      .trimEnd(),
  );
}

/** A payload of a megabyte is cut before anything is measured. */
function cellOf<Row>(column: Column<Row>, row: Row, width: number): string {
  const text = printable(column.text(row));
  return column.widthMin === undefined ? text : shorten(text, width);
}

/** Narrows the widest column by one until all fit or none may become narrower. */
function fit(columns: readonly Column<never>[], natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  const mayNarrow = (at: number) => (widths[at] ?? 0) > (columns[at]?.widthMin ?? Number.POSITIVE_INFINITY);
  for (let over = widths.reduce((sum, each) => sum + each, 0) - room; over > 0; over--) {
    const widest = widths
      .map((width, at) => ({ width, at }))
      .filter(({ at }) => mayNarrow(at))
      .reduce((best, each) => (each.width > best.width ? each : best), { width: 0, at: -1 });
    if (widest.at < 0) break;
    widths[widest.at] = widest.width - 1;
  }
  return widths;
}

function pad(cell: string, width: number, align: Column<never>['align']): string {
  const blank = ' '.repeat(Math.max(0, width - displayWidth(cell)));
  return align === 'right' ? blank + cell : cell + blank;
}
