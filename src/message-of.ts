/**
 * What went wrong, in words. A refused connection to a name with several addresses is an AggregateError without a message: its
 * errors have one each; and some errors of the system have a code only.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(messageOf).join(', ');
  return 'code' in error ? String(error.code) : error.name;
}
