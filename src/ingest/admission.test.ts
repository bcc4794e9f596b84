import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.ts';

test('requests are admitted while there is room for their bytes', () => {
  const admission = new Admission({ bytesMax: 100, requestsMax: 10 });
  const first = admission.admit(60);
  assert.equal(admission.admit(41), undefined);
  assert.notEqual(admission.admit(40), undefined);
  assert.equal(admission.isFull, true);
  first?.release();
  assert.equal(admission.isFull, false);
  assert.deepEqual([admission.bytes, admission.requests], [40, 1]);
});

test('a request that has grown takes more room while there is some, and keeps what it had otherwise', () => {
  const admission = new Admission({ bytesMax: 100, requestsMax: 10 });
  const ticket = admission.admit(0)!;
  assert.equal(ticket.resize(100), true);
  assert.equal(ticket.resize(101), false);
  assert.equal(admission.bytes, 100);
  assert.equal(ticket.resize(10), true);
  assert.equal(admission.bytes, 10);
});

test('requests are counted, whatever their size', () => {
  const admission = new Admission({ bytesMax: 100, requestsMax: 2 });
  const tickets = [admission.admit(0), admission.admit(0)];
  assert.equal(admission.admit(0), undefined);
  assert.equal(admission.isFull, true);
  for (const ticket of tickets) ticket?.release();
  assert.equal(admission.requests, 0);
});

test('a ticket gives its room back once, and takes none after that', () => {
  const admission = new Admission({ bytesMax: 100, requestsMax: 2 });
  const ticket = admission.admit(50)!;
  ticket.release();
  ticket.release();
  assert.equal(ticket.resize(10), false);
  assert.deepEqual([admission.bytes, admission.requests], [0, 0]);
});
