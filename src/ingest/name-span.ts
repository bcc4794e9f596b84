import type { JsonScanner } from '../content/json-scanner.ts';

/** An event_id or a source: where its UTF-8 is. In the body as it was sent, or, if it was sent with escapes, built anew. */
export class NameSpan {
  #bytes: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  clear(): void {
    this.#bytes = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  /** Takes the string that was scanned last, which has no escapes. */
  take({ bytes, textStart, textEnd }: JsonScanner): void {
    this.#bytes = bytes;
    this.#start = textStart;
    this.#end = textEnd;
  }

  takeText(text: string): void {
    this.#bytes = Buffer.from(text);
    this.#start = 0;
    this.#end = this.#bytes.length;
  }

  text(): string {
    return this.#bytes.toString('utf8', this.#start, this.#end);
  }

  /** @returns how many bytes it has */
  copyTo(target: Buffer, at: number): number {
    return this.#bytes.copy(target, at, this.#start, this.#end);
  }
}

const EMPTY = Buffer.alloc(0);
