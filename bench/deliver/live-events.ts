/**
 * The events that are published live: of one topic, numbered from 0 on, and each with the time at which it was due. Number and time stand
 * in the id, in a fixed width, so that a request is made once and then overwritten, and a subscriber finds them without parsing.
 */
export const LIVE_TOPIC = 'live';

const NUMBER_DIGITS = 10;
const DUE_DIGITS = 16;
const ZERO = 48;
const DIGITS = '0'.repeat(NUMBER_DIGITS + DUE_DIGITS);

/** What Sekali prints of an event between its position and its id. */
const BEFORE_ID = `,"topic":"${LIVE_TOPIC}","event_id":"`;
const BEFORE_POSITION = '{"position":'.length;

/** A clock that all processes of the machine share, in microseconds. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** A request to publish so many events, which is used again and again. */
export class LiveRequest {
  readonly bytes: Buffer;
  readonly #idAts: readonly number[];

  constructor(url: string, events: number) {
    const event = {
      topic: LIVE_TOPIC,
      event_id: DIGITS,
      timestamp: '2026-01-01T00:00:00.000Z',
      source: 'checkout-service',
      payload: { user: 'user-00000', action: 'checkout', amount: 129.95, currency: 'EUR', items: [1, 2, 3] },
    };
    const body = JSON.stringify(Array.from({ length: events }, () => event));
    const head = [
      'POST /publish?ack=stored HTTP/1.1',
      `Host: ${new URL(url).host}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '\r\n',
    ].join('\r\n');
    this.bytes = Buffer.from(head + body);
    const idAts: number[] = [];
    for (let at = this.bytes.indexOf(DIGITS); at >= 0; at = this.bytes.indexOf(DIGITS, at + 1))
      idAts.push(at);
    this.#idAts = idAts;
  }

  /** Makes them the events from this number on. */
  stamp(first: number, dueMicros: number): void {
    this.#idAts.forEach((at, i) => {
      writeDigits(this.bytes, at, NUMBER_DIGITS, first + i);
      writeDigits(this.bytes, at + NUMBER_DIGITS, DUE_DIGITS, dueMicros);
    });
  }
}

/** Where the digits of a live event begin, whose JSON begins at `at`. */
export function stampAt(position: number, at: number): number {
  return at + BEFORE_POSITION + String(position).length + BEFORE_ID.length;
}

export function numberAt(bytes: Buffer, stamp: number): number {
  return readDigits(bytes, stamp, stamp + NUMBER_DIGITS);
}

export function dueMicrosAt(bytes: Buffer, stamp: number): number {
  return readDigits(bytes, stamp + NUMBER_DIGITS, stamp + NUMBER_DIGITS + DUE_DIGITS);
}

function writeDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  bytes.write(String(Math.floor(value)).padStart(digits, '0'), at, 'latin1');
}

function readDigits(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) throw new Error('a live event does not look as it was published');
    value = value * 10 + digit;
  }
  return value;
}
