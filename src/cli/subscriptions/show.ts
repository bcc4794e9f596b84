import type { SubscriptionAnswer, WireSubscription, WireWebhook } from '../../protocol/subscriptions-wire.ts';
import { printable } from '../display-text.ts';
import type { Column } from '../table.ts';
import { bold, grouped } from '../terminal.ts';

export const COLUMNS: readonly Column<WireSubscription>[] = [
  { title: 'subscription', widthMin: 12, text: ({ name }) => name },
  { title: 'topics', widthMin: 12, text: ({ topics }) => topics.join(', ') },
  { title: 'cursor', align: 'right', text: ({ cursor }) => String(cursor) },
  { title: 'leased', align: 'right', text: ({ leased }) => grouped(leased) },
  { title: 'waiting', align: 'right', text: ({ waiting }) => grouped(waiting) },
  { title: 'dead', align: 'right', text: ({ dead }) => grouped(dead) },
  { title: 'made', text: ({ created_at }) => created_at },
];

/** A subscription for people: its members under one another. */
export function subscriptionLines(
  answer: WireSubscription & Partial<Pick<SubscriptionAnswer, 'lag'>>,
): string[] {
  const { backoff, max_attempts } = answer;
  const rows: [name: string, value: string][] = [
    ['subscription', answer.name],
    ['topics', answer.topics.join(', ')],
    ['cursor', String(answer.cursor)],
    ...(answer.lag ? ([['lag', lagText(answer.lag)]] satisfies [string, string][]) : []),
    ['leased', grouped(answer.leased)],
    ['waiting', `${grouped(answer.waiting)} to be handed out again`],
    ['dead', grouped(answer.dead)],
    ['attempts', max_attempts === 0 ? 'without an end' : `at most ${max_attempts}`],
    ['in flight', `at most ${grouped(answer.max_in_flight)}`],
    ['lease', `${grouped(answer.ack_wait_ms)} ms`],
    ['backoff', `${grouped(backoff.first_ms)} to ${grouped(backoff.max_ms)} ms`],
    ['ordered', answer.ordered ? 'yes, by topic' : 'no'],
    ...webhookRows(answer.webhook),
    ['made', answer.created_at],
    ['version', answer.version],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${bold(name.padEnd(width))}  ${printable(value)}`);
}

function webhookRows(webhook: WireWebhook | undefined): [name: string, value: string][] {
  if (webhook === undefined) return [];
  const { url, state, reason, secret } = webhook;
  return [
    ['webhook', url],
    ['state', reason === null ? state : `${state}: ${reason}`],
    ...(secret === undefined
      ? []
      : ([['secret', `${secret} (never shown again)`]] satisfies [string, string][])),
  ];
}

function lagText({ events, age_seconds }: SubscriptionAnswer['lag']): string {
  const count = `${grouped(events)} not handed out yet`;
  return age_seconds === null
    ? `${count}, all acknowledged`
    : `${count}; the oldest that is not acknowledged was stored ${age_seconds} s ago`;
}
