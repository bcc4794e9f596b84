import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etagOf, readCondition } from './conditions.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];

test('a condition is read as RFC 9110 spells it', () => {
  for (const [headers, match, noneMatch] of [
    [{}, undefined, undefined],
    [{ 'if-match': '*' }, '*', undefined],
    [{ 'if-match': etagOf(A) }, [A], undefined],
    [{ 'if-match': `"${A}", "${B}"` }, [A, B], undefined],
    [{ 'if-match': ` , "${A}" ,,"${B}", ` }, [A, B], undefined],
    // A weak tag matches nothing where tags are compared strongly.
    [{ 'if-match': `W/"${A}"` }, [], undefined],
    [{ 'if-match': '"a,b"' }, ['a,b'], undefined],
    [{ 'if-none-match': ' * ' }, undefined, '*'],
    [{ 'if-none-match': `W/"${A}", "${B}"` }, undefined, [A, B]],
    [{ 'if-match': `"${A}"`, 'if-none-match': '"x"' }, [A], ['x']],
  ] as const) {
    assert.deepEqual(readCondition(headers), { match, noneMatch }, JSON.stringify(headers));
  }
});

test('what is no entity tag is refused, and not passed over', () => {
  for (const text of [
    '',
    ',',
    A,
    `"${A}`,
    `"${A}" "${B}"`,
    `"${A}", *`,
    '*, *',
    'w/"a"',
    '"a b"',
    `"${A}", ${B}`,
  ]) {
    assert.throws(
      () => readCondition({ 'if-match': text }),
      { code: 'request_invalid', message: /^If-Match must be/ },
      text,
    );
    assert.throws(
      () => readCondition({ 'if-none-match': text }),
      { message: /^If-None-Match must be/ },
      text,
    );
  }
});
