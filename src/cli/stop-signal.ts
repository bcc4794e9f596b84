import { EXIT } from './command.ts';

/**
 * One Ctrl-C reaches a process more than once: from the terminal, and from each parent that passes it on, as npm does.
 * Within this time it is one.
 */
const SAME_INTERRUPT_MS = 500;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopSignal {
  /** Aborted by the first SIGINT or SIGTERM, with its name as the reason. */
  readonly signal: AbortSignal;
  /** Leaves signals to their defaults again. */
  release(): void;
}

/** Listens for signals to stop. The first one asks; a second one ends the process at once. */
export function stopSignal(onStop: (name: NodeJS.Signals) => void = () => {}): StopSignal {
  const stop = new AbortController();
  let stoppedAt = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort(name);
      onStop(name);
    } else if (name !== 'SIGINT' || performance.now() - stoppedAt > SAME_INTERRUPT_MS)
      process.exit(EXIT.failed);
  };
  // They stay: without a listener, a second signal would end the process by Node's default, half-way through.
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: stop.signal,
    release() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
