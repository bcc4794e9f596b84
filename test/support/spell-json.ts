/** Chooses a number from 0 to `below` - 1. */
type Choose = (below: number) => number;

/**
 * One of the many JSON texts of a value: white space, escapes and the order of members depend on the seed; 0 gives the
 * plainest. Numbers are spelled as `JSON.stringify` does, for another spelling is another content.
 */
export function spell(value: unknown, seed: number): string {
  return spellValue(value, chooser(seed));
}

const SPACES = ['', ' ', '\t', '\n', '\r\n', '  '] as const;

function spellValue(value: unknown, choose: Choose): string {
  const space = () => SPACES[choose(SPACES.length)] ?? '';
  return `${space()}${spellBare(value, choose, space)}${space()}`;
}

function spellBare(value: unknown, choose: Choose, space: () => string): string {
  if (typeof value === 'string') return spellString(value, choose);
  if (Array.isArray(value)) {
    return `[${value.map((item) => spellValue(item, choose)).join(',') || space()}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = shuffled(Object.entries(value), choose).map(
      ([name, member]) => `${space()}${spellString(name, choose)}${space()}:${spellValue(member, choose)}`,
    );
    return `{${members.join(',') || space()}}`;
  }
  return JSON.stringify(value);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function spellString(text: string, choose: Choose): string {
  // By characters, not units: a pair of surrogates is escaped as two, or written as the one character it is.
  return `"${[...text].map((character) => spellCharacter(character, choose(8))).join('')}"`;
}

function spellCharacter(character: string, way: number): string {
  const mustEscape = /["\\\p{Cs}]/u.test(character) || character < ' ';
  if (!mustEscape && way < 5) return character;
  const short = way === 5 || way < 3 ? SHORT_ESCAPES[character] : undefined;
  return short ?? escapeUnits(character, way === 6);
}

function escapeUnits(character: string, upperCase: boolean): string {
  return character
    .split('')
    .map((unit) => {
      const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${upperCase ? hex.toUpperCase() : hex}`;
    })
    .join('');
}

/** Fisher and Yates; the seed 0 leaves the order as it is. */
function shuffled<T>(items: readonly T[], choose: Choose): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(choose(left.length), 1));
}

/** Numbers that a seed determines (the generator "mulberry32"). */
function chooser(seed: number): Choose {
  let state = seed;
  return (below) => {
    if (seed === 0) return 0;
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
