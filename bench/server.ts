import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The compiled server, as users run it, on a fresh data directory. */
export class BenchServer {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(url: string, child: ChildProcess, dataDir: string) {
    this.url = url;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#dataDir = dataDir;
  }

  static async start(): Promise<BenchServer> {
    const dataDir = mkdtempSync(join(process.env['SEKALI_BENCH_DIR'] ?? tmpdir(), 'sekali-bench-'));
    const args = ['bin/sekali.js', 'serve', '--port', '0', '--data', dataDir, '--log-format', 'json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(line) as { url?: string };
      if (url !== undefined) return new BenchServer(url, child, dataDir);
    }
    throw new Error('the server did not start');
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
