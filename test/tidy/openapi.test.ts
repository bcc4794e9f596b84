/** The description of the API says what the source does: no more, no less, with the same bounds. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance } from 'fastify';
import { loadConfig } from '../../src/config.ts';
import type { Deliveries } from '../../src/deliver/deliveries.ts';
import { RESTARTS_KEPT } from '../../src/deliver/gaps/course.ts';
import { GAPS_LISTED_MAX } from '../../src/deliver/gaps/gap-tracker.ts';
import { LiveTail } from '../../src/deliver/live-tail.ts';
import type { Webhooks } from '../../src/deliver/webhooks/webhooks.ts';
import { catalogue } from '../../src/errors.ts';
import { buildApp } from '../../src/http/app.ts';
import { Lifecycle } from '../../src/http/parts.ts';
import type { Parameters } from '../../src/http/query.ts';
import { CONFLICTS_PARAMETERS } from '../../src/http/routes/conflicts.ts';
import { DEAD_LETTERS_PARAMETERS } from '../../src/http/routes/dead-letters.ts';
import { CONFLICTS_SHOWN, LINES_PARAMETERS, PAGE_PARAMETERS } from '../../src/http/routes/events.ts';
import { GAPS_PARAMETERS } from '../../src/http/routes/gaps.ts';
import { READYZ_PARAMETERS } from '../../src/http/routes/health.ts';
import { PUBLISH_PARAMETERS } from '../../src/http/routes/publish.ts';
import { TOPICS_SHOWN } from '../../src/http/routes/stats.ts';
import { STREAM_PARAMETERS } from '../../src/http/routes/stream.ts';
import { SUBSCRIPTIONS_PARAMETERS } from '../../src/http/routes/subscriptions.ts';
import { TOPICS_PARAMETERS } from '../../src/http/routes/topics.ts';
import { Admission } from '../../src/ingest/admission.ts';
import { CommitQueue } from '../../src/ingest/commit-queue.ts';
import { createLog } from '../../src/log.ts';
import type { Operation, Parameter, Schema } from '../../src/protocol/openapi/document.ts';
import { ANSWERED_CODES } from '../../src/protocol/openapi/problem.ts';
import { CONTENT_ENCODINGS, MEDIA_PROBLEM, PUBLISH_MEDIA } from '../../src/protocol/wire.ts';
import { ThreadedReader } from '../../src/store/sqlite/threaded-reader.ts';
import { CONFLICT_PAYLOAD_BYTES_MAX, CONFLICTS_KEPT } from '../../src/store/store-reader.ts';
import { API_LIMITS, ApiValidator, api } from '../support/api-validator.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Place {
  readonly address: string;
  readonly path: string;
  readonly operation: Operation;
}

const places: Place[] = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    address: `${method.toUpperCase()} ${path}`,
    path,
    operation: operation as Operation,
  })),
);

describe('the description', () => {
  it('is OpenAPI 3.1', async () => {
    const copy = JSON.parse(JSON.stringify(api)) as Record<string, unknown>;
    assert.deepEqual(await new Validator().validate(copy), { valid: true });
  });

  it('holds JSON Schemas that compile, strictly, and examples that fit them', () => {
    const validator = new ApiValidator();
    for (const name of Object.keys(api.components.schemas)) {
      validator.compile({ $ref: `#/components/schemas/${name}` });
    }
    for (const { address, operation } of places) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
        Object.entries(part?.content ?? {}),
      );
      for (const [media, { schema, examples = {} }] of contents) {
        const isValid = validator.compile(schema);
        for (const [name, { value }] of Object.entries(examples)) {
          assert.ok(isValid(value), `${address} ${media} ${name}: ${JSON.stringify(isValid.errors)}`);
        }
      }
      for (const { name, schema, example } of operation.parameters ?? []) {
        const isValid = validator.compile(schema);
        if (example !== undefined) assert.ok(isValid(example), `${address} ${name}`);
        if (schema.default !== undefined) assert.ok(isValid(schema.default), `${address} ${name}`);
      }
    }
  });

  it('names nothing that is not there, and has nothing that is not named', () => {
    const text = JSON.stringify(api);
    const named = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    const defined = Object.keys(api.components.schemas);
    assert.deepEqual(named, new Set(defined));
    const tags = new Set(places.flatMap(({ operation }) => operation.tags));
    assert.deepEqual(
      [...tags],
      api.tags.map((tag) => tag.name),
    );
    const ids = places.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('gives the parameters that are in a path, and only those', () => {
    for (const { address, path, operation } of places) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      assert.deepEqual(
        described.map(({ name }) => name),
        inPath,
        address,
      );
      assert.ok(
        described.every(({ required }) => required),
        address,
      );
    }
  });

  it('tells the limits of the server that serves it, and the bounds that are fixed', () => {
    const { Event, Batch, Conflict, PublisherGaps, StatsAnswer, EventAnswer } = api.components.schemas;
    assert.match(Event?.description ?? '', new RegExp(`${API_LIMITS.eventBytesMax} bytes`));
    assert.equal(Batch?.oneOf?.[1]?.maxItems, API_LIMITS.eventsMax);
    const body = api.paths['/publish']?.post?.requestBody?.description ?? '';
    assert.match(body, new RegExp(`${API_LIMITS.bodyBytesMax} bytes.* ${API_LIMITS.eventsMax} events`));
    assert.match(
      Conflict?.properties?.['payload']?.description ?? '',
      new RegExp(`${CONFLICT_PAYLOAD_BYTES_MAX} bytes`),
    );
    assert.match(
      api.paths['/conflicts']?.get?.description ?? '',
      new RegExp(`newest ${CONFLICTS_KEPT} are kept`),
    );
    assert.equal(StatsAnswer?.properties?.['topics']?.maxItems, TOPICS_SHOWN);
    assert.equal(EventAnswer?.properties?.['conflicts']?.maxItems, CONFLICTS_SHOWN);
    assert.equal(PublisherGaps?.properties?.['gaps']?.maxItems, GAPS_LISTED_MAX);
    assert.equal(PublisherGaps?.properties?.['restarts']?.maxItems, RESTARTS_KEPT);
  });
});

describe('addresses', () => {
  let app: FastifyInstance;
  const cleanUps: (() => void | Promise<void>)[] = [];

  before(async () => {
    const dataDir = tempDir({ after: (cleanUp) => cleanUps.push(cleanUp as () => void) });
    const config = loadConfig({ flags: new Map(), env: {} });
    const admission = new Admission({ bytesMax: config.queueBytesMax, requestsMax: config.queueRequestsMax });
    const queue = new CommitQueue(
      {
        limits: config,
        storeThread: new URL('../../src/store/sqlite/store-thread.ts', import.meta.url).href,
        storeOptions: { dataDir },
        isServerStore: false,
        queue: undefined,
      },
      { onProgress() {}, onLog() {}, onWait() {}, onState() {}, onDeath() {} },
    );
    await queue.opened;
    const reader = new ThreadedReader(dataDir);
    cleanUps.unshift(
      () => reader.close(),
      () => queue.close(),
    );
    app = await buildApp(
      {
        config,
        admission,
        answers: admission,
        queue,
        backlog: undefined,
        workers: undefined,
        reader,
        tail: new LiveTail({ reader, stored: queue }),
        deliveries: {} as Deliveries, // no address is asked for anything here
        webhooks: {} as Webhooks,
        stored: queue,
        lifecycle: new Lifecycle(),
      },
      createLog({ logLevel: 'silent', logFormat: 'json' }),
    );
  });
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });

  it('are those that the server has', () => {
    const served = routesOf(app.printRoutes({ commonPrefix: false }));
    const described = places.flatMap(({ address }) =>
      address.startsWith('GET ') ? [address, address.replace('GET', 'HEAD')] : [address],
    );
    assert.deepEqual(served.sort(), described.sort());
  });
});

/** `METHOD /path/{parameter}` of each line of the tree that Fastify prints. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', segment = '', methods] = /^(.*?)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? [];
    if (segment === '') return [];
    parents.length = indent.length / 4;
    parents.push(segment);
    const path = parents.join('').replace(/:(\w+)/g, '{$1}');
    return methods === undefined ? [] : methods.split(', ').map((method) => `${method} ${path}`);
  });
}

describe('query parameters', () => {
  const declared: Record<string, Parameters> = {
    'POST /publish': PUBLISH_PARAMETERS,
    'GET /events': PAGE_PARAMETERS,
    'GET /stream': STREAM_PARAMETERS,
    'GET /topics': TOPICS_PARAMETERS,
    'GET /conflicts': CONFLICTS_PARAMETERS,
    'GET /gaps': GAPS_PARAMETERS,
    'GET /subscriptions': SUBSCRIPTIONS_PARAMETERS,
    'GET /subscriptions/{name}/dead-letters': DEAD_LETTERS_PARAMETERS,
    'GET /readyz': READYZ_PARAMETERS,
  };

  for (const { address, operation } of places) {
    const described = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
    const routed = declared[address] ?? {};

    it(`of ${address} are those of its route, with the same bounds and defaults`, () => {
      assert.deepEqual(described.map(({ name }) => name).sort(), Object.keys(routed).sort());
      for (const parameter of described) {
        // Pages and lines have another bound, which the description says in words.
        if (address === 'GET /events' && parameter.name === 'limit') continue;
        const { kind, fallback } = routed[parameter.name] ?? {};
        const takes = (text: string) => 'value' in (kind?.read(text) ?? {});
        const { accepted, refused } = probes(parameter.schema);
        for (const text of accepted) assert.ok(takes(text), `${parameter.name}=${text}`);
        for (const text of refused) assert.ok(!takes(text), `${parameter.name}=${text}`);
        assert.equal(parameter.schema.default, fallback, parameter.name);
      }
    });
  }

  it('of lines are those of pages, but for the limit, of which the description says both', () => {
    assert.deepEqual(Object.keys(LINES_PARAMETERS), Object.keys(PAGE_PARAMETERS));
    const limit = limitOf(places.find(({ address }) => address === 'GET /events')?.operation);
    const [, pageMax, fallback] =
      /in JSON at most (\d+), and (\d+) when it is absent/.exec(limit.description) ?? [];
    assert.ok(takesLimit(PAGE_PARAMETERS, Number(pageMax)));
    assert.ok(!takesLimit(PAGE_PARAMETERS, Number(pageMax) + 1));
    assert.equal(PAGE_PARAMETERS.limit.fallback, Number(fallback));
    const { minimum = -1, maximum = -1 } = limit.schema;
    assert.ok(takesLimit(LINES_PARAMETERS, minimum) && !takesLimit(LINES_PARAMETERS, minimum - 1));
    assert.ok(takesLimit(PAGE_PARAMETERS, minimum) && !takesLimit(PAGE_PARAMETERS, minimum - 1));
    assert.ok(takesLimit(LINES_PARAMETERS, maximum) && !takesLimit(LINES_PARAMETERS, maximum + 1));
    assert.match(limit.description, /as lines any number, and all when it is absent/);
    assert.equal(LINES_PARAMETERS.limit.fallback, maximum);
  });
});

function takesLimit({ limit }: typeof PAGE_PARAMETERS, value: number): boolean {
  return 'value' in limit.kind.read(String(value));
}

function limitOf(operation: Operation | undefined): Parameter {
  const limit = operation?.parameters?.find(({ name }) => name === 'limit');
  assert.ok(limit);
  return limit;
}

/** Values at and beyond each bound of a schema. */
function probes(schema: Schema): { accepted: string[]; refused: string[] } {
  if (schema.$ref?.endsWith('/Name')) {
    return { accepted: ['a', '🎉'.repeat(255)], refused: ['', ' ', 'a'.repeat(256), '\u0000'] };
  }
  if (schema.enum)
    return { accepted: [...schema.enum], refused: ['', 'other', ...schema.enum.map((one) => `${one}x`)] };
  if (schema.type === 'boolean') return { accepted: ['true', 'false'], refused: ['maybe', '2'] };
  if (schema.format === 'date-time') {
    return { accepted: ['2026-01-31T12:00:00Z'], refused: ['', '2026-01-31', 'now'] };
  }
  const { minimum, maximum } = schema;
  assert.ok(
    schema.type === 'integer' && minimum !== undefined && maximum !== undefined,
    JSON.stringify(schema),
  );
  return {
    accepted: [String(minimum), String(maximum)],
    refused: [String(minimum - 1), String(maximum + 1), '', 'x', '1.5'],
  };
}

describe('bodies and answers', () => {
  it('are published in the content types and encodings that the server knows', () => {
    const { requestBody, parameters = [] } = api.paths['/publish']?.post ?? {};
    assert.deepEqual(Object.keys(requestBody?.content ?? {}).sort(), Object.keys(PUBLISH_MEDIA).sort());
    const encoding = parameters.find(({ name }) => name === 'Content-Encoding');
    assert.deepEqual(encoding?.schema.enum, [...CONTENT_ENCODINGS, 'x-gzip', 'identity']);
  });

  it('give each code of the catalogue somewhere, under its status', () => {
    const given = new Set<string>();
    for (const { address, operation } of places) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        const codes = content[MEDIA_PROBLEM]?.schema.allOf?.[1]?.properties?.['code']?.enum ?? [];
        for (const code of codes) {
          assert.equal(
            String(catalogue[code as keyof typeof catalogue].status),
            status,
            `${address} ${code}`,
          );
          given.add(code);
        }
      }
    }
    const general = ['route_unknown', 'method_refused'];
    for (const code of general)
      assert.match(
        api.info.description,
        new RegExp(`\`${code}\` \\(${code === 'route_unknown' ? 404 : 405}`),
      );
    assert.deepEqual([...given, ...general].sort(), [...ANSWERED_CODES].sort());
  });

  it('ask for a key wherever the server does', () => {
    const open = places.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
    assert.deepEqual(open.sort(), ['/health', '/livez', '/readyz']);
    for (const { address, operation } of places) {
      assert.equal('401' in operation.responses, operation.security === undefined, address);
    }
  });
});
