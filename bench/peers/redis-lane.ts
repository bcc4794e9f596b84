/** A publisher to a Redis stream: a batch is one call of a script that keeps an id and appends its event if it is new. */
import { EVENT_BYTES, ID_TEMPLATE, TOPIC_BYTES, TOPIC_TEMPLATE } from '../load/event-text.ts';
import type { Lane, Tally } from '../load/lane.ts';
import type { LoadPlan } from '../load/plan.ts';
import { EventRequest } from '../load/request.ts';
import { LineSocket } from './line-socket.ts';

/** The id holds its topic, which names the stream. Answers how many events were new. */
const SCRIPT = `
local call = redis.call
local fresh = 0
for i = 1, #ARGV, 2 do
  if call('SET', ARGV[i], '', 'NX') then
    call('XADD', string.sub(ARGV[i], 1, ${TOPIC_BYTES}), '*', 'event', ARGV[i + 1])
    fresh = fresh + 1
  end
end
return fresh`;

export async function openRedisLane(plan: LoadPlan, onError: (error: Error) => void): Promise<Lane> {
  const loaded = Promise.withResolvers<string>();
  const fail = (error: Error) => {
    loaded.reject(error);
    onError(error);
  };
  let waiting: ((tally: Tally) => void) | undefined;
  const take = (line: string) => {
    if (line.startsWith('-')) throw new Error(line);
    if (/^[0-9a-f]{40}$/.test(line)) loaded.resolve(line);
    else if (line.startsWith(':')) {
      const processed = Number(line.slice(1));
      waiting?.({ processed, duplicates: plan.batch - processed });
    }
  };
  const socket = await LineSocket.open(plan.url, take, fail);
  socket.write(`*3\r\n${bulk('SCRIPT')}${bulk('LOAD')}${bulk(SCRIPT)}`);
  const script = await loaded.promise;

  const request = new EventRequest(
    {
      head: `*${3 + 2 * plan.batch}\r\n${bulk('EVALSHA')}${bulk(script)}${bulk('0')}`,
      before: `${bulk(`${TOPIC_TEMPLATE}/${ID_TEMPLATE}`)}$${EVENT_BYTES}\r\n`,
      after: '\r\n',
      between: '',
      tail: '',
    },
    plan.batch,
    plan.seed,
  );
  return {
    send(numbers, onAnswer) {
      waiting = onAnswer;
      request.refill(numbers);
      socket.write(request.bytes);
    },
    close: () => socket.close(),
  };
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}
