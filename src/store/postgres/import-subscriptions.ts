import { LineFault } from '../../transfer/read-members.ts';
import type { TransferDelivery, TransferSubscription } from '../../transfer/records.ts';
import type { SqlQuery } from './connection.ts';
import { int4Column, int8Column, textColumn, timestamptzColumn } from './import-columns.ts';
import { RowBuffer } from './import-tables.ts';
import { reasonText } from './subscription-values.ts';

interface Imported {
  readonly id: number;
  readonly cursor: number;
  /** Of what has come of it. */
  lastPosition: number;
}

type DeliveryRow = TransferDelivery & { readonly id: number };

/** Subscriptions on their way to their tables; they get the ids from 1 on, in their order. */
export class ImportedSubscriptions {
  readonly #known = new Map<string, Imported>();
  readonly #subscriptions = new RowBuffer<TransferSubscription>({ insert: insertSubscriptions });
  readonly #deliveries = new RowBuffer<DeliveryRow>({ insert: insertDeliveries });

  get size(): number {
    return this.#known.size;
  }

  /** @throws LineFault, as `addDelivery` does */
  add(subscription: TransferSubscription, lastPosition: number): SqlQuery | undefined {
    const { name, cursor } = subscription;
    if (this.#known.has(name)) throw new LineFault('the subscription is there twice');
    if (cursor > lastPosition) throw new LineFault('cursor is beyond last_position of the header');
    this.#known.set(name, { id: this.#known.size + 1, cursor, lastPosition: 0 });
    this.#subscriptions.add(subscription);
    return this.#subscriptions.whenFull();
  }

  addDelivery(delivery: TransferDelivery): SqlQuery | undefined {
    const { position } = delivery;
    const known = this.#known.get(delivery.subscription);
    if (known === undefined) throw new LineFault('there is no line of its subscription before');
    if (position <= known.lastPosition)
      throw new LineFault('position must be above that of the delivery before, of the same subscription');
    if (position > known.cursor) throw new LineFault('position is beyond the cursor of its subscription');
    known.lastPosition = position;
    this.#deliveries.add({ ...delivery, id: known.id });
    return this.#deliveries.whenFull();
  }

  rest(): (SqlQuery | undefined)[] {
    return [this.#subscriptions.rest(), this.#deliveries.rest()];
  }
}

function insertSubscriptions(rows: readonly TransferSubscription[], before: number): SqlQuery {
  return {
    text: `INSERT INTO sekali.subscriptions (subscription_id, name, definition, version, cursor, created_at) OVERRIDING SYSTEM VALUE
      SELECT id, name, definition::json, version::uuid, cursor, created_at
        FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
          AS s (id, name, definition, version, cursor, created_at)`,
    values: [
      int4Column(rows.map((_, i) => before + i + 1)),
      textColumn(rows.map(({ name }) => name)),
      textColumn(rows.map(({ definition }) => JSON.stringify(definition))),
      textColumn(rows.map(({ version }) => version)),
      int8Column(rows.map(({ cursor }) => cursor)),
      timestamptzColumn(rows.map(({ created_at }) => created_at)),
    ],
  };
}

/** Who waits without a time is due from now on, which is the same for all: those are handed out by position. */
function insertDeliveries(rows: readonly DeliveryRow[]): SqlQuery {
  return {
    text: `INSERT INTO sekali.deliveries (subscription_id, position, topic, attempts, due_at, reason, died_at)
      SELECT id, position, topic, attempts, CASE WHEN died_at IS NULL THEN coalesce(due_at, now()) END, reason, died_at
        FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::integer[], $5::timestamptz[], $6::text[],
          $7::timestamptz[]) AS d (id, position, topic, attempts, due_at, reason, died_at)`,
    values: [
      int4Column(rows.map(({ id }) => id)),
      int8Column(rows.map(({ position }) => position)),
      textColumn(rows.map(({ topic }) => topic)),
      int4Column(rows.map(({ attempts }) => attempts)),
      timestamptzColumn(rows.map(({ due_at }) => due_at)),
      textColumn(rows.map(({ reason }) => reasonText(reason) ?? undefined)),
      timestamptzColumn(rows.map(({ died_at }) => died_at)),
    ],
  };
}
