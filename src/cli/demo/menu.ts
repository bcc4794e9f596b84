import { createInterface } from 'node:readline/promises';
import { bold } from '../terminal.ts';

export interface MenuStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

export interface MenuOptions extends MenuStreams {
  readonly titles: readonly string[];
  /** Called with the index of one title, or of each in turn; the menu waits for it. */
  readonly onChoice: (index: number) => Promise<void>;
  /** Ctrl-C, also while a choice is being carried out. */
  readonly onInterrupt: () => void;
  readonly signal: AbortSignal;
}

/** Lets a person choose by number, again and again, until they quit or the input ends. */
export async function runMenu({
  titles,
  onChoice,
  onInterrupt,
  input,
  output,
  signal,
}: MenuOptions): Promise<void> {
  const lines = createInterface({ input, output, signal });
  lines.once('SIGINT', onInterrupt);
  let ended = false;
  lines.once('close', () => (ended = true));
  lines.setPrompt(`\n${bold(`1-${titles.length}, all or quit:`)} `);
  output.write(`\n${titles.map((title, index) => `  ${index + 1}  ${title}\n`).join('')}`);
  try {
    lines.prompt();
    for await (const line of lines) {
      const chosen = readChoice(line, titles.length);
      if (chosen === 'quit') return;
      if (chosen === undefined) output.write(`${JSON.stringify(line)} is none of them\n`);
      else for (const index of chosen) await onChoice(index);
      // The input can end while a choice is carried out; lines that came before it are still to be read.
      if (!ended) lines.prompt();
    }
  } finally {
    lines.close();
  }
}

/** @returns the indexes to carry out, `quit`, or undefined when the line is none of these */
export function readChoice(line: string, count: number): number[] | 'quit' | undefined {
  const word = line.trim().toLowerCase();
  if (word === '') return [];
  if (['q', 'quit', 'exit'].includes(word)) return 'quit';
  if (['a', 'all'].includes(word)) return Array.from({ length: count }, (_, index) => index);
  const number = /^\d+$/.test(word) ? Number(word) : 0;
  return number >= 1 && number <= count ? [number - 1] : undefined;
}
