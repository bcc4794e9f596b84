import { svg, text } from './svg.ts';

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  /** What the two colours mean. */
  readonly strong: string;
  readonly weak: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Below the name. */
  readonly note: string;
  readonly isStrong: boolean;
}

const WIDTH = 800;
const LEFT = 20;
const LONGEST = 660;
const TOP = 96;
const ROW = 58;

/** Bars that lie, with room for what must be known of each beside its length. */
export function drawBars({ title, subtitle, strong, weak, bars }: BarChart): string {
  const most = Math.max(...bars.map(({ value }) => value));
  return svg(WIDTH, TOP + bars.length * ROW, title, [
    text(LEFT, 24, title, 'title'),
    text(LEFT, 44, subtitle, 'soft'),
    ...legend('strong', LEFT, strong),
    ...legend('weak', LEFT + 300, weak),
    ...bars.flatMap((bar, i) => drawBar(bar, TOP + i * ROW, bar.value / most)),
  ]);
}

function drawBar({ name, value, note, isStrong }: Bar, y: number, share: number): string[] {
  const width = Math.max(2, Math.round(LONGEST * share));
  return [
    text(LEFT, y, name),
    `<rect class="${colour(isStrong)}" x="${LEFT}" y="${y + 6}" width="${width}" height="14" rx="2"/>`,
    text(LEFT + width + 8, y + 18, value.toLocaleString('en')),
    text(LEFT, y + 35, note, 'soft'),
  ];
}

function legend(kind: string, x: number, meaning: string): string[] {
  return [
    `<rect class="${kind}" x="${x}" y="56" width="12" height="12" rx="2"/>`,
    text(x + 18, 67, meaning, 'soft'),
  ];
}

function colour(isStrong: boolean): string {
  return isStrong ? 'strong' : 'weak';
}
