import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { spell } from '../../test/support/spell-json.ts';
import { JsonScanner, JsonSyntaxError, TooDeepError } from './json-scanner.ts';

const DEPTH = 100;

function scanned(bytes: Buffer, { start = 0, end = bytes.length, depth = DEPTH, high = 7, low = 9 } = {}) {
  const scanner = new JsonScanner(bytes, start, end, high, low);
  scanner.value(depth);
  return scanner;
}

/** Whether the scanner takes the bytes for exactly one JSON text. */
function isJson(bytes: Buffer, end = bytes.length): boolean {
  try {
    const scanner = scanned(bytes, { end });
    scanner.peek();
    return scanner.at === end;
  } catch (error) {
    assert.ok(error instanceof JsonSyntaxError, String(error));
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function fingerprint(text: string, seed = {}): string {
  const { high, low } = scanned(Buffer.from(text), seed);
  return `${high}:${low}`;
}

const anyJson = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
const seed = fc.nat();

/** Bytes that mean something in JSON, and any others. */
const byte = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(...Buffer.from('{}[]",:\\/0123456789.eE+-truefalsn \t\r\n\0\u007f')),
  },
  { weight: 1, arbitrary: fc.nat({ max: 255 }) },
);
/** A change to some bytes: so many are cut out at a place, given as a share of the length, and others put in. */
const edit = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat({ max: 3 }),
  put: fc.array(byte, { maxLength: 3 }),
});

function edited(bytes: Buffer, edits: readonly { place: number; cut: number; put: number[] }[]): Buffer {
  return edits.reduce((before, { place, cut, put }) => {
    const at = Math.floor(place * before.length);
    return Buffer.concat([before.subarray(0, at), Buffer.from(put), before.subarray(at + cut)]);
  }, bytes);
}

describe('the grammar', () => {
  it('is that of JSON.parse for any value, however it is spelled', () => {
    fc.assert(
      fc.property(anyJson, seed, (value, how) => {
        const text = spell(value, how);
        assert.ok(isJson(Buffer.from(text)), text);
        assert.ok(parses(text), text);
      }),
      { numRuns: 500 },
    );
  });

  it('is that of JSON.parse for anything near a JSON text', () => {
    const verdicts = { valid: 0, invalid: 0 };
    fc.assert(
      fc.property(anyJson, seed, fc.array(edit, { minLength: 1, maxLength: 3 }), (value, how, edits) => {
        const bytes = edited(Buffer.from(spell(value, how)), edits);
        fc.pre(isUtf8(bytes)); // the caller's to check
        const expected = parses(bytes.toString('utf8'));
        verdicts[expected ? 'valid' : 'invalid']++;
        assert.equal(isJson(bytes), expected, bytes.toString('utf8'));
      }),
      { numRuns: 10_000 },
    );
    assert.ok(verdicts.valid > 500 && verdicts.invalid > 500, JSON.stringify(verdicts));
  });

  const edgeCases = [
    ['', ' ', 'null', ' true ', 'falsey', 'nul', 'True', 'undefined', 'NaN', 'Infinity'],
    ['0', '-0', '00', '01', '-01', '-', '+1', '.5', '1.', '1.e1', '1.5', '0.0', '1e5', '1E+05', '1e', '1e-'],
    ['1e1.5', '0x10', '1_000', '12345678901234567890', '1e400', '--1', '1 2', '0e', '0e0', '-0.0e-0'],
    ['""', '"a', '"\\u00e9"', '"\\u00E9"', '"\\u00g0"', '"\\u12"', '"\\ud800"', '"\\x41"', '"\\\'"', "'a'"],
    ['"\\', '"\\"', '"\\\\"', '"\\u"', '"\t"', '"\\t"', '"\u007f"', '"\u2028"', '"\0"', '"\\/"', '"/"'],
    ['[]', '[ ]', '[,]', '[1,]', '[1,,2]', '[,1]', '[1 2]', '[1', ']', '[1]]', '[[]', '[[],[]]', '[1,2}'],
    [
      '{}',
      '{ }',
      '{,}',
      '{"a":1,}',
      '{"a"}',
      '{"a":}',
      '{"a" 1}',
      '{a:1}',
      '{1:1}',
      '{"a":1',
      '}',
      '{"a":1]',
    ],
    ['{"a":1,"a":2}', '{"":""}', '{"a":1}{}', '{"a":1,,"b":2}', '{"a"::1}', '{"a":1 "b":2}', '{null:1}'],
    ['\ufeff1', '\u00a01', '1\u00a0', '\f1', '\v1', '1\0', '\u20281', '// a\n1', '1 /* a */', '#'],
  ].flat();
  for (const text of edgeCases) {
    it(`${parses(text) ? 'takes' : 'refuses'} ${JSON.stringify(text)}`, () => {
      assert.equal(isJson(Buffer.from(text)), parses(text));
    });
  }

  it('ends where the text ends, whatever comes on the next line', () => {
    fc.assert(
      fc.property(
        anyJson,
        seed,
        fc.array(edit, { maxLength: 2 }),
        fc.array(byte),
        (value, how, edits, rest) => {
          const line = edited(Buffer.from(spell(value, how)), edits);
          fc.pre(isUtf8(line));
          const bytes = Buffer.concat([line, Buffer.from('\n'), Buffer.from(rest)]);
          assert.equal(isJson(bytes, line.length), isJson(line), line.toString('utf8'));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('says where a text is broken and what should be there', () => {
    const broken: Record<string, string> = {
      '{"a":1,}': 'expected a member name at byte 7',
      '{"é":x}': 'expected a JSON value at byte 6',
      '[1 2]': 'expected "," or "]" at byte 3',
      '{"a":1]': 'expected "," or "}" at byte 6',
      '{"a",1}': 'expected ":" at byte 4',
      '"a\nb"': 'expected no control character in a string at byte 2',
      '"abc': 'expected the closing quote of a string at byte 4',
      '"\\u00g0"': 'expected four hexadecimal digits after \\u at byte 5',
      '"\\x"': 'expected one of "\\/bfnrtu after a backslash at byte 2',
      '-x': 'expected a digit at byte 1',
    };
    for (const [text, message] of Object.entries(broken)) {
      assert.throws(() => scanned(Buffer.from(text)), { message }, text);
    }
  });
});

function nested(open: string, close: string, levels: number): Buffer {
  return Buffer.from(open.repeat(levels) + (close === '}' ? '1' : '') + close.repeat(levels));
}

describe('the depth', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    it(`of ${open}${close} is bounded exactly`, () => {
      assert.doesNotThrow(() => scanned(nested(open, close, 10), { depth: 10 }));
      assert.throws(() => scanned(nested(open, close, 11), { depth: 10 }), TooDeepError);
    });
  }

  it('counts levels, not values', () => {
    assert.doesNotThrow(() => scanned(Buffer.from(`[${'[],{},'.repeat(1000)}[]]`), { depth: 2 }));
  });
});

describe('the text of a string', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), seed, (value, how) => {
        const bytes = Buffer.from(spell(value, how).trim());
        const scanner = new JsonScanner(bytes, 0, bytes.length, 0, 0);
        scanner.string();
        assert.equal(scanner.text(), value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the fingerprint of content', () => {
  it('is the same for any order of members, white space and spelling of strings', () => {
    fc.assert(
      fc.property(anyJson, seed, seed, (value, how, otherwise) => {
        assert.equal(fingerprint(spell(value, how)), fingerprint(spell(value, otherwise)));
      }),
      { numRuns: 1000 },
    );
  });

  it('differs for different values, unlike as they may be', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (left, right) => {
        const [one, other] = [JSON.stringify(left), JSON.stringify(right)];
        fc.pre(!isDeepStrictEqual(contentOf(one), contentOf(other)));
        assert.notEqual(fingerprint(one), fingerprint(other), `${one} and ${other}`);
      }),
      { numRuns: 1000 },
    );
  });

  it('differs for different values, alike as they may be', () => {
    fc.assert(
      fc.property(anyJson, fc.array(edit, { minLength: 1, maxLength: 2 }), (value, edits) => {
        const one = JSON.stringify(value);
        const changed = edited(Buffer.from(one), edits);
        const other = changed.toString('utf8');
        fc.pre(isUtf8(changed) && parses(other) && !isDeepStrictEqual(contentOf(one), contentOf(other)));
        assert.notEqual(fingerprint(one), fingerprint(other), `${one} and ${other}`);
      }),
      { numRuns: 3000, maxSkipsPerRun: 1000 },
    );
  });

  const different: [string, string][] = [
    ['{"a":1,"b":2}', '{"a":2,"b":1}'],
    ['{"a":{"b":1},"c":{"d":2}}', '{"a":{"d":2},"c":{"b":1}}'],
    ['{"a":{"b":1},"c":2}', '{"a":{"c":2},"b":1}'],
    ['{"a":{"b":{}}}', '{"b":{"a":{}}}'],
    ['[1,2]', '[2,1]'],
    ['[[1],2]', '[[1,2]]'],
    ['[[],[[]]]', '[[[]],[]]'],
    ['[]', '{}'],
    ['[]', '[[]]'],
    ['[null]', '[]'],
    ['{"a":null}', '{}'],
    ['{"a":1}', '{"a":1,"a":1}'],
    ['{"a":1,"a":1}', '{"b":1,"b":1}'],
    ['1', '"1"'],
    ['null', '"null"'],
    ['""', 'null'],
    ['0', 'false'],
    ['1', '1.0'],
    ['1', '1e0'],
    ['0', '-0'],
    ['12345678901234567890', '12345678901234567891'],
    ['"a"', '"A"'],
    ['"a"', '"a "'],
    ['"\u00e9"', '"e\u0301"'],
    ['"\\ud800"', '"\\ud801"'],
    ['"\\ud800"', '"\\udc00"'],
    ['"\\ud800"', '"\ufffd"'],
    ['"\\\\n"', '"\\n"'],
    ['"\\u0000"', '""'],
  ];
  for (const [one, other] of different) {
    it(`tells ${one} from ${other}, in each of its halves`, () => {
      const [oneHalves, otherHalves] = [one, other].map((text) => fingerprint(text).split(':'));
      assert.notEqual(oneHalves?.[0], otherHalves?.[0]);
      assert.notEqual(oneHalves?.[1], otherHalves?.[1]);
    });
  }

  it('is another one under another secret, in each of its halves', () => {
    const [high, low] = fingerprint('{"a":1}').split(':');
    const [otherHigh, sameLow] = fingerprint('{"a":1}', { high: 8 }).split(':');
    assert.notEqual(otherHigh, high);
    assert.equal(sameLow, low);
    assert.notEqual(fingerprint('{"a":1}', { low: 8 }).split(':')[1], low);
  });
});

type Reviver = (name: string, value: unknown, context: { source: string }) => unknown;

const keepSpelling: Reviver = (_name, value, { source }) =>
  typeof value === 'number' ? { spelling: source } : value;

/** What a text says, as the rule has it: numbers count as they are spelled. */
function contentOf(text: string): unknown {
  return JSON.parse(text, keepSpelling as (name: string, value: unknown) => unknown);
}
