import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { messageId, signatures } from './message.ts';
import { makeSecret, rotate, secretsAt } from './secrets.ts';

describe('a signature', () => {
  it('is that of the libraries of Standard Webhooks for their own test vector', () => {
    assert.equal(
      signatures(
        ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1614265330,
        '{"test": 2432232314}',
      ),
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('is taken by the library of receivers, with any of the secrets, and no other', () => {
    const [old, fresh, other] = [makeSecret(), makeSecret(), makeSecret()];
    const body = '{"ä":1.0e2,  "b":"\\u00e4"}';
    const seconds = Math.floor(Date.now() / 1000);
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(seconds),
      'webhook-signature': signatures([fresh, old], 'msg_1', seconds, body),
    };
    for (const secret of [old, fresh])
      assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body));
    assert.throws(() => new Webhook(other).verify(body, headers), /No matching signature/);
    assert.throws(() => new Webhook(old).verify(`${body} `, headers), /No matching signature/);
    assert.throws(
      () => new Webhook(old).verify(body, { ...headers, 'webhook-id': 'msg_2' }),
      /No matching signature/,
    );
  });

  it('is made with each secret, with a space between them', () => {
    const [a, b] = [makeSecret(), makeSecret()];
    const both = signatures([a, b], 'msg_1', 1, '{"ä":1}');
    assert.equal(both, `${signatures([a], 'msg_1', 1, '{"ä":1}')} ${signatures([b], 'msg_1', 1, '{"ä":1}')}`);
  });
});

describe('the id of a message', () => {
  const event = { position: 7, topic: 'orders', event_id: 'e' };

  it('is the same each time, another for whatever is another, and has no dot', () => {
    const ids = [
      messageId('mailer', event),
      messageId('mailer2', event),
      messageId('mailer', { ...event, position: 8 }),
      messageId('mailer', { ...event, topic: 'orders.eu' }),
      messageId('mailer', { ...event, event_id: 'f' }),
    ];
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(messageId('mailer', { ...event }), ids[0]);
    for (const id of ids) assert.match(id, /^msg_[0-9a-f]{32}$/);
  });
});

describe('secrets', () => {
  it('have 24 random bytes', () => {
    assert.match(makeSecret(), /^whsec_[A-Za-z0-9+/]{32}$/);
    assert.notEqual(makeSecret(), makeSecret());
  });

  it('that are replaced hold until their overlap ends, the newest first', () => {
    const first = rotate([{ secret: 'a', untilMs: null }], 'b', 1000, 0);
    assert.deepEqual(secretsAt(first, 999), ['b', 'a']);
    assert.deepEqual(secretsAt(first, 1000), ['b']);
    const second = rotate(first, 'c', 5000, 500);
    assert.deepEqual(secretsAt(second, 999), ['c', 'b', 'a']);
    assert.deepEqual(secretsAt(second, 5499), ['c', 'b']);
    assert.deepEqual(
      secretsAt(rotate(second, 'd', 0, 600), 600),
      ['d'],
      'without an overlap none of them holds',
    );
  });
});
