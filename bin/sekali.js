#!/usr/bin/env node
// Plain old JavaScript on purpose: it has to run on a Node that is too old, to say so, or to find the one that a clone
// of the repository brings along as a development dependency.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  const main = new URL('../dist/cli/main.js', import.meta.url);
  if (existsSync(main)) await import(main.href);
  else {
    console.error('sekali: this clone is not built yet: npm run build');
    process.exitCode = 1;
  }
} else {
  const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (existsSync(own)) {
    const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    // A terminal sends Ctrl-C to both of us: passed on as well, it would be a second one.
    process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 1;
      if (signal) process.kill(process.pid, signal);
    });
  } else {
    console.error(
      `sekali: needs Node ${NODE_MAJOR_MIN} or newer, and this is ${process.version}: https://nodejs.org`,
    );
    process.exitCode = 1;
  }
}
