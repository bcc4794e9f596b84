import { catalogue, type ErrorCode } from '../../errors.ts';
import { MEDIA_PROBLEM } from '../wire.ts';
import type { Answer } from './document.ts';
import { answer, type NamedSchemas, ref } from './schema.ts';

/** Codes that end a start; no request is ever answered with them. */
export const START_CODES = [
  'config_invalid',
  'data_in_use',
  'schema_newer',
  'schema_older',
  'store_damaged',
] as const satisfies ErrorCode[];

/** Codes of what a worker sets aside, long after the request was answered. */
export const ENTRY_CODES = ['entry_refused'] as const satisfies ErrorCode[];

const NEVER_ANSWERED: ReadonlySet<string> = new Set([...START_CODES, ...ENTRY_CODES]);

export type AnsweredCode = Exclude<ErrorCode, (typeof START_CODES | typeof ENTRY_CODES)[number]>;

export const ANSWERED_CODES = Object.keys(catalogue).filter(
  (code): code is AnsweredCode => !NEVER_ANSWERED.has(code),
);

export const problemSchemas: NamedSchemas<'Problem'> = {
  Problem: answer('An error (RFC 9457). Some codes have further members, named in their detail.', {
    type: { type: 'string', description: '`urn:sekali:problem:` and the code.' },
    title: { type: 'string', description: 'One sentence, the same each time.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    detail: { type: 'string', description: 'What was wrong here. For people; it may change.' },
    code: { type: 'string', enum: ANSWERED_CODES, description: 'For programs; it does not change.' },
    retryable: {
      type: 'boolean',
      description: 'Whether the same request, sent again later, can succeed.',
    },
  }),
};

/** What any address may answer. */
const EVERYWHERE = [
  'request_invalid',
  'host_refused',
  'parameter_invalid',
  'headers_too_large',
  'internal',
] as const;

/** What any address but a health check may answer besides. */
const GUARDED = ['key_missing', 'key_wrong', 'shutting_down'] as const;

/** The answers of an address that go with these codes, by status. */
export function problems(...codes: readonly AnsweredCode[]): Readonly<Record<string, Answer>> {
  return byStatus([...EVERYWHERE, ...GUARDED, ...codes]);
}

/** The same for an address that asks for no key. */
export function openProblems(): Readonly<Record<string, Answer>> {
  return byStatus(EVERYWHERE);
}

function byStatus(codes: readonly AnsweredCode[]): Record<string, Answer> {
  const grouped = Map.groupBy(codes, (code) => catalogue[code].status);
  return Object.fromEntries(
    [...grouped].map(([status, own]) => [String(status), problemAnswer(status, own)] as const),
  );
}

function problemAnswer(status: number, codes: readonly AnsweredCode[]): Answer {
  const headers = HEADERS[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${catalogue[code].title}`).join('\n'),
    ...(headers && { headers }),
    content: {
      [MEDIA_PROBLEM]: {
        schema: {
          allOf: [ref('Problem'), { type: 'object', properties: { code: { type: 'string', enum: codes } } }],
        },
      },
    },
  };
}

const HEADERS: Readonly<Record<number, NonNullable<Answer['headers']>>> = {
  401: {
    'WWW-Authenticate': { description: 'The schemes that carry the key.', schema: { type: 'string' } },
  },
  503: {
    'Retry-After': {
      description: 'Seconds after which to send the request again.',
      schema: { type: 'integer', minimum: 1 },
    },
  },
};
