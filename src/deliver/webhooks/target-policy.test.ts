import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, it } from 'node:test';
import { isPublic } from './special-addresses.ts';
import { isAllowable, TargetPolicy } from './target-policy.ts';

const NOT_PUBLIC = `
  0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
  172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
  239.255.255.255 240.0.0.1 255.255.255.255
  :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8
  64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 3fff::1 4000::1
  5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1`
  .trim()
  .split(/\s+/);

const PUBLIC = `
  1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 169.253.255.255 172.15.255.255
  172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255
  2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450::1 3ffe::1`
  .trim()
  .split(/\s+/);

function lookup(policy: TargetPolicy, host: string): Promise<string | LookupAddress[]> {
  return new Promise((resolve, reject) => {
    policy.lookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

describe('addresses', () => {
  for (const address of NOT_PUBLIC)
    it(`${address} is not public`, () => assert.equal(isPublic(address), false));
  for (const address of PUBLIC) it(`${address} is public`, () => assert.equal(isPublic(address), true));
  it('that are none are not public', () => assert.equal(isPublic('example.com'), false));
});

describe('a URL', () => {
  const policy = new TargetPolicy([]);

  for (const host of [
    ...NOT_PUBLIC.filter((one) => !one.includes('%')).map((one) => (one.includes(':') ? `[${one}]` : one)),
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '０x7f.1',
    '①27.0.0.1',
    '%31%32%37.0.0.1',
    '[0:0:0:0:0:ffff:7f00:0001]',
  ]) {
    it(`of ${host} is refused`, () => assert.match(policy.refusal(`https://${host}/`) ?? '', /public/));
  }

  it('of a public host is taken, of any port', () => {
    assert.equal(policy.refusal('https://example.com:8443/hook?x=1'), undefined);
    assert.equal(policy.refusal('https://8.8.8.8/'), undefined);
  });

  it('is of https, and without credentials', () => {
    for (const url of ['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'data:,x'])
      assert.match(policy.refusal(url) ?? '', /https/, url);
    assert.match(policy.refusal('https://user@example.com/') ?? '', /user name/);
    assert.match(policy.refusal('https://:secret@example.com/') ?? '', /password/);
    assert.match(policy.refusal('/hook') ?? '', /absolute/);
    assert.match(policy.refusal('https://') ?? '', /absolute/);
  });
});

describe('what is allowed by name', () => {
  const policy = new TargetPolicy(['127.0.0.0/8', '10.0.0.7', 'fd00::/8', 'Hooks.internal', 'localhost']);

  it('may be private, and http', () => {
    for (const host of ['127.9.9.9', '10.0.0.7', '[fd00::1]', 'hooks.internal', 'HOOKS.INTERNAL.'])
      assert.equal(policy.refusal(`http://${host}:8080/`), undefined, host);
    for (const host of ['10.0.0.8', '[fe80::1]']) assert.ok(policy.refusal(`https://${host}/`), host);
    assert.match(policy.refusal('http://x.hooks.internal/') ?? '', /https/);
  });

  it('is a host name, an address or a network', () => {
    for (const one of ['a', 'hooks.internal', '10.0.0.0/8', '::1', 'fd00::/8', '1.2.3.4'])
      assert.ok(isAllowable(one), one);
    for (const one of [
      '',
      '10.0.0.0/33',
      '::/129',
      'http://a',
      'a/8',
      'a:80',
      'a b',
      '*',
      '0x7f.1',
      '10.0.0.1/-1',
    ])
      assert.equal(isAllowable(one), false, one);
  });
});

describe('a name', () => {
  it('that stands for a private address is refused when it is connected to', async () => {
    await assert.rejects(
      lookup(new TargetPolicy([]), 'localhost'),
      /localhost stands for .*not of the public internet/,
    );
  });

  it('is let through when it, or its address, is allowed', async () => {
    for (const allowed of [['localhost'], ['127.0.0.0/8', '::1']]) {
      const found = await lookup(new TargetPolicy(allowed), 'localhost');
      assert.ok(Array.isArray(found) && found.length > 0);
    }
  });
});
