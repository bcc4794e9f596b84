/**
 * What a consumer has to know of an answer to `fetch`: the lease and the positions, as the bytes they are. No JSON is parsed: the consumers
 * share two cores with the server. The events of the bench have nothing in their payloads that looks like a position.
 */
const COUNT = Buffer.from('{"count":');
const LEASE = Buffer.from('"lease":"');
const LEASE_BYTES = 32;
const POSITION = Buffer.from('{"position":');
const COMMA = 44;
const ZERO = 48;

export interface HandedOut {
  readonly lease: string;
  readonly positions: readonly number[];
}

/** @throws when it is not what Sekali answers, or its count is wrong */
export function readHandOut(body: Buffer): HandedOut {
  if (!body.subarray(0, COUNT.length).equals(COUNT))
    throw new Error(`not a hand-out: ${body.toString('latin1', 0, 200)}`);
  const count = readNumber(body, COUNT.length);
  if (count === 0) return { lease: '', positions: [] };
  const leaseAt = body.indexOf(LEASE) + LEASE.length;
  const positions: number[] = [];
  for (let at = body.indexOf(POSITION, leaseAt); at >= 0; at = body.indexOf(POSITION, at)) {
    at += POSITION.length;
    positions.push(readNumber(body, at));
  }
  if (positions.length !== count) throw new Error(`a hand-out of ${count} has ${positions.length} events`);
  return { lease: body.toString('latin1', leaseAt, leaseAt + LEASE_BYTES), positions };
}

function readNumber(body: Buffer, from: number): number {
  let value = 0;
  for (let at = from; body[at] !== COMMA; at++) {
    const digit = body[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9))
      throw new Error(`no number: ${body.toString('latin1', from, from + 20)}`);
    value = value * 10 + digit;
  }
  return value;
}
