import type { OpenApi, Operation } from './document.ts';

export type Method = 'PUT' | 'POST' | 'GET' | 'DELETE';

/** An operation with its place. */
export interface Described {
  readonly path: string;
  readonly method: Method;
  readonly operation: Operation;
}

/** All operations, by address; of one address, those first that make what the others tell of. */
export function operationsOf({ paths }: Pick<OpenApi, 'paths'>): Described[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    (['put', 'post', 'get', 'delete'] as const).flatMap((key) => {
      const operation = item[key];
      return operation ? [{ path, method: key.toUpperCase() as Method, operation }] : [];
    }),
  );
}
