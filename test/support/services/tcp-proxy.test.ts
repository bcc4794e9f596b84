import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '../until.ts';
import { freePort } from './free-port.ts';
import { TcpProxy } from './tcp-proxy.ts';

test('a whole network passes bytes both ways, and the end of either side', async (t) => {
  const { proxy, client } = await throughProxy(t);
  assert.equal(await echo(client, 'hello'), 'hello');
  client.end();
  await once(client, 'close');
  await until('no connection is left', async () => proxy.connections === 0);
});

test('a cut network has ended its connections and refuses new ones, until it is healed on the same port', async (t) => {
  const { proxy, client } = await throughProxy(t);
  assert.equal(await echo(client, 'hello'), 'hello');
  const closed = once(client, 'close');
  await proxy.cut();
  await closed;
  assert.equal(proxy.connections, 0);
  await assert.rejects(connected(t, proxy.port), { code: 'ECONNREFUSED' });
  await proxy.heal();
  assert.equal(await echo(await connected(t, proxy.port), 'again'), 'again');
});

test('a frozen network holds what is sent, of new connections too, until it is healed', async (t) => {
  const { proxy, client, received } = await throughProxy(t);
  assert.equal(await echo(client, 'one'), 'one');
  proxy.freeze();
  const late = await connected(t, proxy.port);
  await until('the new connection', async () => proxy.connections === 2);
  const answers = Promise.all([echo(client, 'two'), echo(late, 'three')]);
  // A connection of its own, around the proxy, shows that the server had the time to receive.
  assert.equal(await echo(await connected(t, received.port), 'direct'), 'direct');
  assert.deepEqual(received.texts, ['one', 'direct']);
  await proxy.heal();
  assert.deepEqual(await answers, ['two', 'three']);
});

test('a frozen network can be cut', async (t) => {
  const { proxy, client } = await throughProxy(t);
  assert.equal(await echo(client, 'hello'), 'hello');
  proxy.freeze();
  const closed = once(client, 'close');
  await proxy.cut();
  await closed;
});

test('a client is disconnected when nobody listens behind the proxy', async (t) => {
  await using proxy = await TcpProxy.to(await freePort());
  await once(await connected(t, proxy.port), 'close');
});

test('a URL leads through the proxy and keeps all but its host and port', async () => {
  await using proxy = await TcpProxy.to(1);
  assert.equal(
    proxy.url('postgres://user:word@localhost:5432/events?a=b'),
    `postgres://user:word@127.0.0.1:${proxy.port}/events?a=b`,
  );
  assert.equal(proxy.url('redis://10.0.0.1'), `redis://127.0.0.1:${proxy.port}`);
});

/** A client of a server that sends everything back, through a proxy. */
async function throughProxy(t: TestContext) {
  const received = { texts: [] as string[], port: 0 };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received.texts.push(String(bytes));
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  received.port = (server.address() as AddressInfo).port;
  const proxy = await TcpProxy.to(received.port);
  t.after(async () => {
    server.close();
    await proxy.cut();
  });
  return { proxy, received, client: await connected(t, proxy.port) };
}

async function connected(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [string];
  return answer;
}
