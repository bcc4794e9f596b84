/**
 * An SVG that is readable on a light page and on a dark one: it has no ground of its own, and its colours follow what the
 * reader's system asks for, which a picture in a README may do too.
 */
export function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.soft { fill: #59636e; font-size: 12px }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.strong { fill: #0969da } .weak { fill: #afb8c1 }
.line { fill: none; stroke: #0969da; stroke-width: 2.5; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d }
  .strong { fill: #4493f8 } .weak { fill: #656c76 } .line { stroke: #4493f8 }
}
`;

export function text(x: number, y: number, content: string, kind = '', anchor = 'start'): string {
  return `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escape(content)}</text>`;
}

/** As `250 k` or `50 M`. */
export function shorten(value: number): string {
  if (value >= 1_000_000) return `${trim(value / 1_000_000)} M`;
  return value >= 1000 ? `${trim(value / 1000)} k` : String(value);
}

/** A round number of steps that reach the value: at most eight. */
export function ticksTo(value: number): number[] {
  const rough = value / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  return Array.from({ length: Math.ceil(value / step) + 1 }, (_, i) => i * step);
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
