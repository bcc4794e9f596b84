/**
 * Faults 13 to 15: the network between instances and their servers is cut, or frozen, which loses nothing that was sent and
 * ends no connection. Breaks are short, and a long one is at the end; with `SEKALI_TEST_LONG_CUTS=1` all of them are long.
 */
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster } from '../support/cluster/cluster.ts';
import type { Instance } from '../support/cluster/instance.ts';
import { eachRound, inTurn, ROUNDS } from '../support/cluster/rounds.ts';
import { underLoad } from '../support/cluster/under-load.ts';
import { useServices } from '../support/services/services.ts';

const services = useServices('postgres-server', 'redis-server');

const LONG_MS = 10_000;
const SHORT_MS_MAX = process.env['SEKALI_TEST_LONG_CUTS'] === '1' ? LONG_MS : 600;

type Link = 'postgres' | 'redis';
type Kind = 'cut' | 'freeze';

describe('a cluster whose network breaks', { ...services.options, concurrency: 2 }, () => {
  for (const link of ['postgres', 'redis'] as const) {
    for (const kind of ['cut', 'freeze'] as const) {
      test(`loses and doubles nothing when its links to ${link} ${kind}, ${ROUNDS} times and for ${LONG_MS} ms`, {
        timeout: 600_000,
      }, async (t) => {
        const cluster = await Cluster.start(t, { instances: 2, ownLinks: true });
        await underLoad(t, cluster, async (load) => {
          await eachRound(async (round) => {
            await load.more(5);
            // One of them, which the other must not mind; or both.
            const victims = round % 3 === 2 ? cluster.instances : [inTurn(cluster.instances, round)];
            await breakLinks(victims, link, kind, (SHORT_MS_MAX * (round + 1)) / ROUNDS);
          });
          await load.more(5);
          await breakLinks(cluster.instances, link, kind, LONG_MS);
          await load.more();
        });
      });
    }
  }
});

/** Resolves when those whose links were broken are ready again. */
async function breakLinks(victims: readonly Instance[], link: Link, kind: Kind, ms: number): Promise<void> {
  const links = victims.map((victim) => victim.links[link]);
  const length = pause(ms);
  if (kind === 'freeze') for (const each of links) each.freeze();
  else await Promise.all(links.map((each) => each.cut()));
  // What is frozen may not have been noticed by its end, nor need it be.
  if (kind === 'cut') await Promise.all(victims.map((victim) => victim.untilNotReady()));
  await length;
  await Promise.all(links.map((each) => each.heal()));
  await Promise.all(victims.map((victim) => victim.untilReady()));
}
