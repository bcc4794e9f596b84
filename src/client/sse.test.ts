import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Frame, FrameParser } from './sse.ts';

function parse(pieces: readonly string[]): Frame[] {
  const parser = new FrameParser();
  return pieces.flatMap((piece) => [...parser.push(piece)]);
}

test('frames are the same wherever the text was cut, and however its lines end', () => {
  const frame = fc.record({ id: fc.nat(), data: fc.option(fc.json(), { nil: undefined }) });
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      cuts,
      (frames, end, cuts) => {
        const text = frames
          .map(({ id, data }) => `id: ${id}${end}${data === undefined ? '' : `data: ${data}${end}`}${end}`)
          .join('');
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((place, i) => text.slice(places[i], place));
        assert.deepEqual(
          parse(pieces),
          frames.map(({ id, data }) => ({ id: String(id), event: undefined, data })),
        );
      },
    ),
  );
});

test('comments and empty blocks are no frames; data of many lines is joined; names are kept', () => {
  const text = ':\n\nretry: 1000\nid: 7\n\n: hi\nevent: lagged\nid: 7\ndata:{"after":\ndata: 7}\n\n';
  assert.deepEqual(parse([text]), [
    { id: '7', event: undefined, data: undefined },
    { id: '7', event: 'lagged', data: '{"after":\n7}' },
  ]);
});

test('a frame whose end has not come is none', () => {
  assert.deepEqual(parse(['id: 1\ndata: {}\n']), []);
});
