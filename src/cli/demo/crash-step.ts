import { wait } from '../../client/backoff.ts';
import { inParallel, makeLoad } from './load.ts';
import { readingFacts, total } from './load-steps.ts';
import type { Step } from './step.ts';

const EVENTS = 20_000;
const EVENTS_PER_REQUEST = 100;
const REQUESTS = EVENTS / EVENTS_PER_REQUEST;
const AT_A_TIME = 10;
/** Answers after which the server is killed, with `AT_A_TIME` requests under way. */
const KILL_AFTER = Math.floor(REQUESTS / 3);
const KILL_DELAY_MS_MAX = 4;

export const crash: Step = {
  title: 'kill -9 and restart, with nothing lost and nothing doubled',
  story: `${AT_A_TIME} publishers, no duplicates. The server dies half way and comes back; what had no answer is sent again.`,
  expected: {
    'killed half way': 'yes',
    unique_processed: EVENTS,
    conflicts: 0,
    'received but in no other counter': 0,
    // A request that was stored but not answered is sent again: its events, and no others, are duplicates.
    'duplicates not due to a lost answer': 0,
    'events to read': EVENTS,
    'events lost': 0,
    'events stored twice': 0,
  },
  async run(lab) {
    const requests = makeLoad(lab, {
      events: EVENTS,
      duplicates: 0,
      eventsPerRequest: EVENTS_PER_REQUEST,
    });
    let answered = 0;
    const restarted = Promise.withResolvers<{ answeredBefore: number; awayMs: number }>();

    async function killAndRestart(): Promise<void> {
      // At once would always be the moment when answers have just gone out; a little later can be any.
      await wait(Math.random() * KILL_DELAY_MS_MAX, lab.signal);
      const startedMs = performance.now();
      await lab.server.kill();
      const answeredBefore = answered;
      await lab.server.start(lab.signal);
      restarted.resolve({ answeredBefore, awayMs: performance.now() - startedMs });
    }

    const { result, counted } = await lab.counting(async () => {
      const publishing = inParallel(requests, AT_A_TIME, async (events) => {
        const answer = await lab.publish(events);
        answered += 1;
        if (answered === KILL_AFTER) killAndRestart().catch(restarted.reject);
        return answer;
      });
      const [answers, away] = await Promise.all([publishing, restarted.promise]);
      return { answers, ...away };
    });

    const { answers, answeredBefore, awayMs } = result;
    const answeredStored = total(answers.map(({ processed }) => processed));
    const { received, unique_processed, duplicate_dropped, conflicts } = counted;
    const read = await readingFacts(lab);
    return {
      seen: {
        'killed half way': answeredBefore < REQUESTS ? 'yes' : 'no',
        unique_processed,
        conflicts,
        'received but in no other counter': received - unique_processed - duplicate_dropped,
        'duplicates not due to a lost answer': duplicate_dropped - (EVENTS - answeredStored),
        'events to read': read['events to read'],
        'events lost': EVENTS - read['different event_ids'],
        'events stored twice': read['events to read'] - read['different event_ids'],
      },
      note: `killed after ${answeredBefore} of ${REQUESTS} answers, back after ${Math.round(awayMs)} ms; ${EVENTS - answeredStored} stored events lost their answer`,
    };
  },
};
