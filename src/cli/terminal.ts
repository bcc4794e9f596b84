import { styleText } from 'node:util';

/**
 * What the commands print is for people on a terminal and for programs in a pipe. Styles are left out where they would
 * be noise: `styleText` honours NO_COLOR, FORCE_COLOR and what the stream can show.
 */

/** What is asked of a stream; Node's type claims that both are always there, and in a pipe neither is. */
interface MaybeTerminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Whether a person is likely to read along. */
export function isInteractive(stream: MaybeTerminal): boolean {
  return stream.isTTY ?? false;
}

/** Columns of a terminal; 80 where nobody knows. */
export function widthOf(stream: MaybeTerminal): number {
  return stream.columns || 80;
}

/** Styles a text for a stream, standard output when none is named. */
type Style = (text: string, stream?: NodeJS.WritableStream) => string;

export const bold: Style = style('bold');
export const dim: Style = style('dim');
export const green: Style = style('green');
export const red: Style = style('red');
export const yellow: Style = style('yellow');

function style(format: Parameters<typeof styleText>[0]): Style {
  return (text, stream = process.stdout) => styleText(format, text, { stream });
}

/** `12345` → `12,345`: the same in every locale, so that two reports can be compared. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
