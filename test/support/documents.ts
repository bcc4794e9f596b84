import { readFileSync } from 'node:fs';

/** The commands of a Markdown document's `sh` blocks, one each; a line that ends in a backslash or an open quote goes on. */
export function commandsOf(file: string): string[] {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block = '']) => block,
  );
  return blocks.flatMap(splitCommands);
}

function splitCommands(block: string): string[] {
  const commands: string[] = [];
  let command = '';
  for (const line of block.split('\n')) {
    command += command === '' ? line : `\n${line}`;
    const isOpen = command.endsWith('\\') || (command.match(/'/g)?.length ?? 0) % 2 === 1;
    if (isOpen) continue;
    if (command.trim() !== '') commands.push(command.trim());
    command = '';
  }
  return commands;
}
