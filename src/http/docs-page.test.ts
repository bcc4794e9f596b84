import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api } from '../../test/support/api-validator.ts';
import type { OpenApi } from '../protocol/openapi/document.ts';
import { html, inline, prose } from './docs-page/html.ts';
import { renderDocs } from './docs-page.ts';

const page = renderDocs(api);
/** What a reader sees: the page without its markup. */
const visible = textOf(page);

function textOf(markup: string): string {
  return markup
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

test('the page shows every address, parameter, answer and shape of the description', () => {
  for (const [path, { get, post }] of Object.entries(api.paths)) {
    assert.ok(visible.includes(path), path);
    for (const operation of [get, post]) {
      if (operation === undefined) continue;
      assert.ok(page.includes(`<article id="${operation.operationId}">`), operation.operationId);
      for (const { description } of [
        ...(operation.parameters ?? []),
        ...Object.values(operation.responses),
      ]) {
        for (const line of description.split('\n')) assert.ok(visible.includes(plain(line)), line);
      }
    }
  }
  for (const [name, { properties = {} }] of Object.entries(api.components.schemas)) {
    assert.ok(page.includes(`<section id="schema-${name}"`), name);
    for (const { description = '' } of Object.values(properties)) {
      assert.ok(visible.includes(plain(description)), description);
    }
  }
});

function plain(text: string): string {
  return text.replaceAll('`', '');
}

test('the page shows each example as a command and its answer', () => {
  assert.ok(
    visible.includes("curl 'http://127.0.0.1:8080/publish' \\\n  -H 'Content-Type: application/json' \\\n"),
  );
  assert.ok(visible.includes("curl 'http://127.0.0.1:8080/events?topic=orders&limit=2'"));
  assert.ok(visible.includes('"dedup_rate_percent": 50'));
});

test('the page runs nothing and loads nothing', () => {
  assert.doesNotMatch(page, /<(script|link|img|iframe|object|embed|form|base)\b/i);
  assert.doesNotMatch(page, /\son\w+=|javascript:|@import|url\(|\ssrc=/i);
});

test('every link of the page leads to a place on it, or to the description', () => {
  const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'each place has one name');
  for (const [, target = ''] of page.matchAll(/\shref="([^"]+)"/g)) {
    assert.ok(target === 'openapi.json' || ids.includes(target.slice(1)), target);
  }
});

test('the page is well-formed: what is opened is closed, in order', () => {
  const open: string[] = [];
  for (const [, slash, tag = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (slash === '') {
      if (tag !== 'meta') open.push(tag);
    } else assert.equal(open.pop(), tag);
  }
  assert.deepEqual(open, []);
});

test('no text of the description becomes markup', () => {
  const hostile = '</style></title><script>alert(1)</script>&"\'`<b>`';
  const changed = JSON.parse(JSON.stringify(api), (name, value: unknown) =>
    typeof value === 'string' && ['description', 'summary', 'title', 'value'].includes(name)
      ? hostile
      : value,
  ) as OpenApi;
  const rendered = renderDocs(changed);
  assert.doesNotMatch(rendered, /<script|<b>/);
  assert.equal(rendered.match(/<\/style>/g)?.length, 1);
  assert.ok(textOf(rendered).includes('</style></title><script>alert(1)</script>&"\''));
});

test('a template escapes what is put into it, unless that is markup', () => {
  assert.equal(
    html`<p title="${'"'}">${'<&>'}${html`<b>${1}</b>`}</p>`.markup,
    '<p title="&#34;">&#60;&#38;&#62;<b>1</b></p>',
  );
  assert.equal(html`${[html`<i>a</i>`, html`<i>b</i>`]}`.markup, '<i>a</i><i>b</i>');
});

test('prose has paragraphs, and code between backquotes', () => {
  assert.equal(prose('one `a<b` two\n\nthree').markup, '<p>one <code>a&#60;b</code> two</p>\n<p>three</p>');
  assert.equal(inline('plain').markup, 'plain');
});
