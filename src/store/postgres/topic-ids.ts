import type { SqlClient } from './connection.ts';

/** Topics that are remembered; any number may come. */
const REMEMBERED_MAX = 100_000;

/** The ids of topics, which get one when they are first seen. */
export class TopicIds {
  readonly #known = new Map<string, number>();

  /**
   * The ids of topics, in their order. New ones are committed by themselves, before the group that brings them: a group that held
   * one would have others wait for its end. What a group that fails leaves behind is a topic without events, which no answer
   * shows.
   */
  async of(client: SqlClient, topics: readonly string[]): Promise<number[]> {
    if (this.#known.size > REMEMBERED_MAX) this.#known.clear();
    let unknown = topics.filter((topic) => !this.#known.has(topic));
    if (unknown.length > 0) {
      await this.#read(client, unknown);
      unknown = unknown.filter((topic) => !this.#known.has(topic));
    }
    if (unknown.length > 0) {
      // In one order for all instances, so that two that bring the same topics do not wait for each other in a circle.
      await client.query({
        text: `INSERT INTO sekali.topics (topic) SELECT t FROM unnest($1::text[]) AS t ORDER BY t COLLATE "C"
               ON CONFLICT DO NOTHING`,
        values: [[...new Set(unknown)]],
      });
      await this.#read(client, unknown);
    }
    return topics.map((topic) => this.#known.get(topic)!);
  }

  async #read(client: SqlClient, topics: readonly string[]): Promise<void> {
    const { rows } = await client.query({
      text: 'SELECT topic, topic_id FROM sekali.topics WHERE topic = ANY($1::text[])',
      values: [topics],
    });
    for (const { topic, topic_id } of rows as { topic: string; topic_id: number }[])
      this.#known.set(topic, topic_id);
  }
}
