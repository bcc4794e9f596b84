import { shorten, svg, text, ticksTo } from './svg.ts';

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 800;
const HEIGHT = 340;
const LEFT = 60;
const RIGHT = 780;
const TOP = 70;
const BOTTOM = 300;

/** A line over axes that both begin at nought: a slope is to be seen as large as it is. */
export function drawLine({ title, subtitle, points }: LineChart): string {
  const xTicks = ticksTo(Math.max(...points.map(({ x }) => x)));
  const yTicks = ticksTo(Math.max(...points.map(({ y }) => y)));
  const xOf = (value: number) => Math.round(LEFT + ((RIGHT - LEFT) * value) / (xTicks.at(-1) ?? 1));
  const yOf = (value: number) => Math.round(BOTTOM - ((BOTTOM - TOP) * value) / (yTicks.at(-1) ?? 1));
  const path = points.map(({ x, y }) => `${xOf(x)},${yOf(y)}`).join(' ');
  return svg(WIDTH, HEIGHT, title, [
    text(LEFT, 24, title, 'title'),
    text(LEFT, 44, subtitle, 'soft'),
    ...yTicks.map((tick) => grid(yOf(tick)) + text(LEFT - 8, yOf(tick) + 4, shorten(tick), 'soft', 'end')),
    ...xTicks.map((tick) => text(xOf(tick), BOTTOM + 20, shorten(tick), 'soft', 'middle')),
    text(RIGHT, BOTTOM + 36, 'events stored', 'soft', 'end'),
    `<polyline class="line" points="${path}"/>`,
  ]);
}

function grid(y: number): string {
  return `<line class="grid" x1="${LEFT}" y1="${y}" x2="${RIGHT}" y2="${y}"/>`;
}
