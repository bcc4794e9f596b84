import type { ServerResponse } from 'node:http';
import type { Ticket } from '../ingest/admission.ts';

/** An answer stays in memory until its client has read it, and a client can take its time: it holds its room until then. */
export function releaseWhenTaken(ticket: Ticket, response: ServerResponse): void {
  if (response.closed) ticket.release();
  else response.once('close', () => ticket.release());
}
