/** Every example of PROTOCOL.md, sent in the order of the document to a new server, gets the answer that follows it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertSameBody } from '../support/compare-answers.ts';
import { send } from '../support/http.ts';
import { startServerProcess } from '../support/server-process.ts';
import { ShownLeases } from '../support/shown-leases.ts';
import { tempDir } from '../support/temp-dir.ts';

/** What stands in a block: a request, or an answer. */
interface Message {
  readonly line: number;
  readonly start: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function readExamples(markdown: string): Message[] {
  return [...markdown.matchAll(/^```http\n(.*?)^```$/gms)].map(({ 1: text = '', index }) => {
    const [head = '', ...rest] = text.split('\n\n');
    const [start = '', ...headers] = head.trimEnd().split('\n');
    return {
      line: markdown.slice(0, index).split('\n').length,
      start,
      headers: Object.fromEntries(headers.map((header) => splitOnce(header, ': '))),
      body: rest.join('\n\n'),
    };
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  assert.notEqual(at, -1, text);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

test('every example of PROTOCOL.md is true', async (t) => {
  const examples = readExamples(readFileSync('PROTOCOL.md', 'utf8'));
  assert.ok(examples.length >= 30, `only ${examples.length} were found`);
  const server = await startServerProcess(t, { dataDir: tempDir(t) });
  const leases = new ShownLeases();
  for (let i = 0; i < examples.length; i += 2) {
    const request = expectMessage(examples[i], /^[A-Z]+ \//);
    const shown = expectMessage(examples[i + 1], /^HTTP\/1\.1 \d{3} /);
    await t.test(`line ${request.line}: ${request.start}`, async () => {
      const [method, path] = splitOnce(request.start, ' ');
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, leases.replaceIn(value)]),
      );
      const body = leases.replaceIn(request.body);
      const answer = await send(server.url, path, { method, headers, ...(body !== '' && { body }) });
      assert.equal(answer.status, Number(shown.start.split(' ')[1]), answer.text);
      assertSameBody(answer.text, shown.body, shown.headers['Content-Type'] ?? '');
      leases.learn(shown.body, answer.text);
      for (const [name, value] of Object.entries(shown.headers)) {
        const actual = String(answer.headers[name.toLowerCase()]).split(';')[0];
        assert.equal(actual, leases.replaceIn(value), name);
      }
    });
  }
});

function expectMessage(message: Message | undefined, start: RegExp): Message {
  assert.ok(message !== undefined, 'the last request has no answer');
  assert.match(message.start, start, `line ${message.line}`);
  return message;
}
