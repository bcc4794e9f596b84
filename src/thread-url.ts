/** Where a thread's file lies beside the one that starts it: `.ts` when run from the source, `.js` once compiled. */
export function threadUrl(importerUrl: string, path: string): URL {
  return new URL(`${path}${importerUrl.endsWith('.ts') ? '.ts' : '.js'}`, importerUrl);
}
