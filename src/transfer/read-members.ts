import { checkName } from '../event.ts';
import { type Instant, parseInstant } from '../instant.ts';

/** A line breaks a rule; the message says which. The reader adds where. */
export class LineFault extends Error {}

/** The members of a line, each read by its rule. */
export class Members {
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws LineFault, as all reading does */
  constructor(members: unknown) {
    if (typeof members !== 'object' || members === null || Array.isArray(members)) {
      throw new LineFault('it is no JSON object');
    }
    this.#members = members as Record<string, unknown>;
  }

  static parse(text: string): Members {
    let members: unknown;
    try {
      members = JSON.parse(text);
    } catch {
      throw new LineFault('it is no JSON');
    }
    return new Members(members);
  }

  has(name: string): boolean {
    return this.#members[name] !== undefined;
  }

  text(name: string): string {
    const value = this.#members[name];
    if (typeof value !== 'string') throw new LineFault(`${name} must be a text`);
    return value;
  }

  /** A topic, an event_id or a source. */
  name(name: string): string {
    const value = this.text(name);
    const rejection = checkName(name, value);
    if (rejection !== undefined) throw new LineFault(rejection.detail);
    return value;
  }

  count(name: string, min = 0): number {
    const value = this.#members[name];
    if (!Number.isSafeInteger(value) || (value as number) < min) {
      throw new LineFault(`${name} must be an integer from ${min} on`);
    }
    return value as number;
  }

  instant(name: string): Instant {
    const value = parseInstant(this.text(name));
    if (value === undefined) throw new LineFault(`${name} must be a time`);
    return value;
  }

  /** @param bytes that the digits stand for */
  hex(name: string, bytes: number): string {
    const value = this.text(name);
    if (value.length !== bytes * 2 || !/^[0-9a-f]*$/.test(value)) {
      throw new LineFault(`${name} must be ${bytes * 2} hexadecimal digits`);
    }
    return value;
  }

  uuid(name: string): string {
    const value = this.text(name);
    if (!UUID.test(value)) throw new LineFault(`${name} must be a UUID`);
    return value;
  }

  truth(name: string): boolean {
    const value = this.#members[name];
    if (typeof value !== 'boolean') throw new LineFault(`${name} must be true or false`);
    return value;
  }

  texts(name: string): string[] {
    const value = this.#members[name];
    if (!Array.isArray(value) || value.length === 0 || !value.every((text) => typeof text === 'string')) {
      throw new LineFault(`${name} must be a list of texts, at least one`);
    }
    return value;
  }

  list(name: string): unknown[] {
    const value = this.#members[name];
    if (!Array.isArray(value)) throw new LineFault(`${name} must be a list`);
    return value;
  }

  /** As it was parsed. */
  raw(name: string): unknown {
    return this.#members[name];
  }

  members(name: string): Members {
    return new Members(this.#members[name]);
  }

  /** A count for each UUID. */
  countsByUuid(name: string): Record<string, number> {
    const found = this.members(name);
    const names = Object.keys(found.#members);
    if (!names.every((uuid) => UUID.test(uuid))) throw new LineFault(`${name} must name UUIDs`);
    return Object.fromEntries(names.map((uuid) => [uuid, found.count(uuid)]));
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
