/**
 * Loaded before a program (`--import`), this makes it take its pipes for a terminal of 100 columns, so that a test sees
 * what a person would. The server that a command starts for itself is spared: its log stays for a program.
 */
if (process.argv[2] !== 'serve') {
  process.stdin.isTTY = true;
  process.stdout.isTTY = true;
  process.stdout.columns = 100;
}
