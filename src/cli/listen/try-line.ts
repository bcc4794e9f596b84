import { printable } from '../display-text.ts';
import { bold, dim, green, grouped, red } from '../terminal.ts';
import type { Forwarded } from './forwarder.ts';

/** A try for people: what came of it, how long it took, which event it was, and what comes next. */
export function tryLine(tried: Forwarded): string {
  const { status, duration_ms, position, topic, event_id, attempt, reason, next_try_in_ms } = tried;
  const result = String(status ?? '---');
  const parts = [
    tried.is_delivered ? green(result) : red(result),
    `${grouped(Math.round(duration_ms))} ms`.padStart(9),
    dim(String(position)),
    bold(printable(topic)),
    printable(event_id),
  ];
  if (attempt > 1) parts.push(dim(`attempt ${attempt}`));
  if (reason !== null) parts.push(printable(reason));
  if (next_try_in_ms !== null) parts.push(dim(`again in ${next_try_in_ms / 1000} s`));
  return `${parts.join('  ')}\n`;
}
