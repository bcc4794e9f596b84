import { backup } from './backup.ts';
import type { Command } from './command.ts';
import { conflicts } from './conflicts.ts';
import { deadLetters } from './dead-letters.ts';
import { demo } from './demo.ts';
import { events } from './events.ts';
import { exportCommand } from './export.ts';
import { gaps } from './gaps.ts';
import { get } from './get.ts';
import { healthcheck } from './healthcheck.ts';
import { importCommand } from './import.ts';
import { listen } from './listen.ts';
import { migrate } from './migrate.ts';
import { publish } from './publish.ts';
import { replay } from './replay.ts';
import { restore } from './restore.ts';
import { serve } from './serve.ts';
import { ship } from './ship.ts';
import { stats } from './stats.ts';
import { subscriptions } from './subscriptions.ts';
import { tail } from './tail.ts';
import { topics } from './topics.ts';
import { verify } from './verify.ts';

/** Every command, in the order in which the overview lists them. */
export const COMMANDS: readonly Command[] = [
  serve,
  publish,
  ship,
  events,
  tail,
  get,
  topics,
  conflicts,
  gaps,
  subscriptions,
  deadLetters,
  replay,
  listen,
  stats,
  healthcheck,
  verify,
  backup,
  restore,
  migrate,
  exportCommand,
  importCommand,
  demo,
];
