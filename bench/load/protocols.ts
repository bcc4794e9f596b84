import type { OpenLane } from './lane.ts';

/** How to speak to what a URL names. Sekali, and the peers behind its HTTP server, are spoken to in the same way. */
export async function protocolOf(url: string): Promise<OpenLane> {
  const { protocol } = new URL(url);
  switch (protocol) {
    case 'http:':
      return (await import('./http-lane.ts')).openHttpLane;
    case 'nats:':
      return (await import('../peers/nats-lane.ts')).openNatsLane;
    case 'nats+client:':
      return (await import('../peers/nats-client-lane.ts')).openNatsClientLane;
    case 'redis:':
      return (await import('../peers/redis-lane.ts')).openRedisLane;
    default:
      throw new Error(`nothing here speaks ${protocol}`);
  }
}
