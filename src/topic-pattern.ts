import { checkName } from './event.ts';

/**
 * How an operator writes which topics are meant. A topic stands for itself; with `*` at its end, it stands for all topics
 * that begin with what is before it. A backslash takes away the meaning of the next character, so that every topic can be
 * written: one that ends in an asterisk is `\*` there, one with a semicolon is `a\;b`.
 */
export interface TopicPattern {
  readonly topic: string;
  readonly isPrefix: boolean;
}

/** One character; one that is not plain came after a backslash, and means nothing but itself. */
interface Glyph {
  readonly character: string;
  readonly isPlain: boolean;
}

export type Glyphs = readonly Glyph[];

/** Any other character after a backslash is more likely a topic such as `C:\logs` than meant as it would be read. */
const ESCAPABLE = new Set(['\\', '*', ':', ';', ' ']);

export function glyphsOf(text: string): Glyphs {
  return [...text.matchAll(/\\(.)|./gsu)].map(([whole, escaped]) => ({
    character: escaped ?? whole,
    isPlain: escaped === undefined,
  }));
}

/** The text that it was read from. */
export function textOf(glyphs: Glyphs): string {
  return glyphs.map(({ character, isPlain }) => (isPlain ? character : `\\${character}`)).join('');
}

/** As an operator would write it in a text. */
export function shownPattern({ topic, isPrefix }: TopicPattern): string {
  return `${topic.replace(/[\\*:;]|^ | $/g, '\\$&')}${isPrefix ? '*' : ''}`;
}

/** Cuts at each plain separator, at most so many times; the plain white space around the parts is dropped. */
export function splitGlyphs(glyphs: Glyphs, separator: string, cutsMax = Number.POSITIVE_INFINITY): Glyphs[] {
  const parts: Glyph[][] = [[]];
  for (const glyph of glyphs) {
    if (parts.length <= cutsMax && glyph.isPlain && glyph.character === separator) parts.push([]);
    else parts.at(-1)?.push(glyph);
  }
  return parts.map(trim);
}

/** @returns the pattern, or what is wrong with it */
export function readPattern(glyphs: Glyphs): TopicPattern | string {
  const isPrefix = isStar(glyphs.at(-1));
  const name = isPrefix ? glyphs.slice(0, -1) : glyphs;
  if (name.some(isStar)) return 'a * stands at the end only; an asterisk in a topic is written \\*';
  if (!name.every(isReadable)) return 'a backslash stands only before \\ * : ; and a space';
  const topic = name.map(({ character }) => character).join('');
  // Of a prefix, a topic that it can be the beginning of.
  const rejection = checkName('the topic', isPrefix ? `${topic}*` : topic);
  return rejection?.detail ?? { topic, isPrefix };
}

function isStar(glyph: Glyph | undefined): boolean {
  return glyph?.isPlain === true && glyph.character === '*';
}

function isReadable({ character, isPlain }: Glyph): boolean {
  // A plain backslash is one at the very end, with nothing after it.
  return isPlain ? character !== '\\' : ESCAPABLE.has(character);
}

/** No topic has tabs or line ends, and only spaces can be escaped: other white space is part of the topic. */
function trim(glyphs: Glyphs): Glyphs {
  return glyphs.slice(Math.max(0, glyphs.findIndex(isInk)), glyphs.findLastIndex(isInk) + 1);
}

function isInk({ character, isPlain }: Glyph): boolean {
  return !isPlain || !' \t\r\n'.includes(character);
}
