/**
 * Writes to standard output, no faster than that takes it. A reader that has seen enough (`sekali events | head -1`)
 * ends it without a fuss: nothing more is asked for.
 */
export async function print(chunks: Iterable<string> | AsyncIterable<string | Uint8Array>): Promise<void> {
  const { stdout } = process;
  // Each failure comes twice, to its write and as an event, which would end the process.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => {});
  try {
    for await (const chunk of chunks) await write(stdout, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

function write(stream: NodeJS.WriteStream, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
