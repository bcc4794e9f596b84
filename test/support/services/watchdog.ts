import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Ends a server and removes its directory when this process ends, even by SIGKILL: a shell whose standard input is a pipe from
 * here. It is told the pid of the server line by line (the newest counts, an empty line is none), and reads the end of its
 * input when nobody is left to write. It has a session of its own, so that Ctrl-C at a terminal does not end it first.
 *
 * A server that does not heed the signal is killed after 5 s, which also bounds the wait for one that no parent reaps.
 */
const SCRIPT = `
while read -r line; do pid=$line; done
if [ -n "$pid" ] && kill -s "$1" "$pid"; then
  tries=0
  while [ $tries -lt 100 ] && kill -0 "$pid"; do sleep 0.05; tries=$((tries + 1)); done
  kill -KILL "$pid"
fi
rm -rf "$2"`;

export class Watchdog {
  readonly #shell: ChildProcess;
  readonly #input: Writable & { unref?(): void };

  /** `signal` is a name without SIG, as `kill -s` takes it. */
  constructor(dir: string, signal: 'QUIT' | 'KILL') {
    this.#shell = spawn('sh', ['-c', SCRIPT, 'sekali-test-watchdog', signal, dir], {
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#input = this.#shell.stdin!;
    this.#shell.unref();
    this.#input.unref?.();
  }

  get pid(): number {
    return this.#shell.pid!;
  }

  /** From now on this is the process to end. */
  watch(server: ChildProcess): void {
    this.#input.write(`${server.pid}\n`);
    // Its pid may be given to another process as soon as it was reaped.
    server.once('exit', () => this.#input.writable && this.#input.write('\n'));
  }

  /** What the end of this process would bring about. Resolves when it is done. */
  async end(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    this.#shell.ref();
    const exited = once(this.#shell, 'exit');
    this.#input.end();
    await exited;
  }
}
