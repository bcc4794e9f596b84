import { RequestError } from '../client/request-error.ts';
import { SekaliError } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import { version } from '../version.ts';
import { EXIT, helpOf, parseCommandLine } from './command.ts';
import { COMMANDS } from './commands.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${version}\n`);
    return EXIT.ok;
  }
  const command = COMMANDS.find((known) => known.name === name);
  if (name === 'help' || name === '--help' || name === '-h') {
    const wanted = COMMANDS.find((known) => known.name === rest[0]);
    process.stdout.write(wanted ? helpOf(wanted) : overview());
    return EXIT.ok;
  }
  if (command === undefined) {
    const names = COMMANDS.map((known) => known.name);
    process.stderr.write(`sekali: ${name} is no command${didYouMean(name, names)}\n\n${overview()}`);
    return EXIT.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(helpOf(command));
    return EXIT.ok;
  }
  try {
    return await command.run({ ...parseCommandLine(rest, command.settings), env: process.env });
  } catch (error) {
    return fail(error);
  }
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  const rows = COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `sekali COMMAND [--help]\n\n${rows.join('\n')}\n\n  sekali ${version}; Node ${process.version}\n`;
}

/** What can be expected to go wrong is told in one line each; a stack is for what cannot. */
function fail(error: unknown): number {
  const expected = error instanceof SekaliError || error instanceof RequestError || isSystemError(error);
  const told =
    error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error);
  for (const line of told.split('\n')) process.stderr.write(`sekali: ${line}\n`);
  return error instanceof SekaliError && error.code === 'config_invalid' ? EXIT.usage : EXIT.failed;
}

/** The operating system said no: a port that is taken, a file that cannot be read. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
