import { isUtf8 } from 'node:buffer';
import { COLON, COMMA, OBJECT_CLOSE, OBJECT_OPEN, QUOTE } from '../content/ascii.ts';
import { JsonScanner, JsonSyntaxError, TooDeepError } from '../content/json-scanner.ts';
import { SekaliError } from '../errors.ts';
import { invalidMember, type Members } from './members.ts';

/** The deepest that is asked for is `{"leases":[{…}]}`. */
const DEPTH_MAX = 8;

/**
 * The members of the object that a text is. By the scanner of events, which tells the byte where JSON breaks, and shows a member that
 * is given twice: JSON.parse would hide both.
 *
 * @throws SekaliError `utf8_invalid`, `json_invalid`, `subscription_invalid`
 */
export function parseObject(bytes: Buffer): Members {
  if (!isUtf8(bytes)) throw new SekaliError('utf8_invalid', 'the body must be UTF-8');
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // a byte order mark
  const scanner = new JsonScanner(bytes, start, bytes.length, 0, 0);
  try {
    const isObject = scanner.peek() === OBJECT_OPEN;
    const members = isObject ? scanMembers(scanner) : {};
    if (!isObject) scanner.value(DEPTH_MAX);
    if (scanner.peek() !== 0 || scanner.at < scanner.end) throw scanner.error('the end of the body');
    if (!isObject) throw invalidMember(undefined, 'the body must be a JSON object');
    return members;
  } catch (error) {
    if (error instanceof TooDeepError) {
      throw invalidMember(undefined, `the body must nest at most ${DEPTH_MAX} levels deep`);
    }
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { message, offset } = error;
    throw new SekaliError('json_invalid', `the body must be JSON: ${message}`, { offset });
  }
}

function scanMembers(scanner: JsonScanner): Members {
  const members = new Map<string, unknown>();
  scanner.take(OBJECT_OPEN);
  for (let first = true; scanner.peek() !== OBJECT_CLOSE; first = false) {
    if (!first) scanner.take(COMMA);
    if (scanner.peek() !== QUOTE) throw scanner.error('a member');
    scanner.string();
    const name = scanner.text();
    scanner.take(COLON);
    scanner.peek();
    const { at } = scanner;
    scanner.value(DEPTH_MAX - 1);
    if (members.has(name)) {
      const shown = name.slice(0, 64);
      throw invalidMember(shown, `${JSON.stringify(shown)} is given twice`);
    }
    members.set(name, JSON.parse(scanner.bytes.toString('utf8', at, scanner.at)));
  }
  scanner.take(OBJECT_CLOSE);
  return Object.fromEntries(members);
}
