import type { HealthAnswer } from '../protocol/wire.ts';
import { integer, optionalText, type Settings } from '../settings.ts';
import { type Command, commandSettings, EXIT, operandsOf } from './command.ts';
import { CONNECTION_SETTINGS } from './connection.ts';

const SETTINGS = {
  url: {
    ...CONNECTION_SETTINGS.url,
    kind: optionalText,
    fallback: undefined,
    meaning: 'Where the server is. Without it, on this machine.',
  },
  port: {
    kind: integer(1, 65_535),
    fallback: 8080,
    form: 'PORT',
    meaning: 'Port of the server on this machine.',
  },
  timeoutMs: {
    kind: integer(1, 3_600_000),
    fallback: 3000,
    form: 'MS',
    meaning: 'Time for the server to answer.',
    flagOnly: true,
  },
} as const satisfies Settings;

/** For a container without curl: the server's own SEKALI_PORT, and no key, are all it needs. */
export const healthcheck: Command = {
  name: 'healthcheck',
  summary: 'Asks a server whether it is well. Exit 0 when it is, 1 when not.',
  settings: SETTINGS,
  async run(context) {
    const { url, port, timeoutMs } = commandSettings(SETTINGS, context);
    operandsOf(context);
    const { isHealthy, line } = await checkHealth(url ?? `http://127.0.0.1:${port}`, timeoutMs);
    process.stdout.write(`${line}\n`);
    return isHealthy ? EXIT.ok : EXIT.failed;
  },
};

async function checkHealth(url: string, timeoutMs: number): Promise<{ isHealthy: boolean; line: string }> {
  try {
    const address = `${url.replace(/\/+$/, '')}/health`;
    const response = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) });
    const { status, failing = [] } = (await response.json()) as HealthAnswer;
    const reasons = failing.map(({ part, reason }) => `${part}: ${reason}`);
    return { isHealthy: response.ok && status === 'healthy', line: [status, ...reasons].join('; ') };
  } catch (error) {
    return { isHealthy: false, line: `unhealthy; no answer from ${url}: ${reasonOf(error)}` };
  }
}

/** `fetch` says "fetch failed"; what failed is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
