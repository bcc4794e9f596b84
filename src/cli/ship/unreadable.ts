/** Why a file cannot be shipped, and others can. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** Whether a failure is one of the file alone. */
export function isUnreadable(error: unknown): error is Error {
  return error instanceof UnreadableError || isRefused(error);
}

/** Whether the operating system said no. */
export function isRefused(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

export function isMissing(error: unknown): boolean {
  return isRefused(error) && error.code === 'ENOENT';
}

const COMPRESSED: readonly { name: string; tool: string; start: Buffer }[] = [
  { name: 'gzip', tool: 'zcat', start: Buffer.from('1f8b', 'hex') },
  { name: 'zstd', tool: 'zstdcat', start: Buffer.from('28b52ffd', 'hex') },
  { name: 'xz', tool: 'xzcat', start: Buffer.from('fd377a585a00', 'hex') },
  { name: 'bzip2', tool: 'bzcat', start: Buffer.from('BZh91AY&SY') },
];

/**
 * Rotated logs are often compressed. Their bytes are no lines; unpacked into a pipe, they have the ids that the file had.
 *
 * @param bytes of the file, from its first one
 * @throws UnreadableError with the way to ship it
 */
export function refuseCompressed(bytes: Buffer): void {
  const found = COMPRESSED.find(({ start }) => bytes.subarray(0, start.length).equals(start));
  if (found) {
    throw new UnreadableError(
      `compressed (${found.name}): use ${found.tool} FILE | sekali ship - --topic TOPIC`,
    );
  }
}
