/**
 * Bytes that one line may have. The longest that is written has a payload of nearly 256 MiB (`event-bytes-max`) as a text, in
 * which each character may have got a backslash; a dead letter's body of as much has four thirds of it.
 */
const LINE_BYTES_MAX = 513 * 1024 * 1024;

/** A line is longer than any that was ever written: what is read is no transfer, and is not gathered in memory. */
export class LineTooLong extends Error {}

/** A line without its break; `isWhole` is false for a last one that has none. */
export interface Line {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

/** The lines of a stream of bytes, those of each chunk together. They share the memory of their chunk, which the stream must not use again. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const part of chunks) {
    const chunk = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const bytes = chunk.subarray(start, end);
      lines.push({ bytes: rest.length === 0 ? bytes : Buffer.concat([...rest, bytes]), isWhole: true });
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > LINE_BYTES_MAX) throw new LineTooLong();
    }
    yield lines;
  }
  if (rest.length > 0) yield [{ bytes: Buffer.concat(rest), isWhole: false }];
}
