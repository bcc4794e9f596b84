import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseInstant } from '../../src/instant.ts';
import type { OpenApi, Schema } from '../../src/protocol/openapi/document.ts';
import { describeApi } from '../../src/protocol/openapi.ts';
import { version } from '../../src/version.ts';

/** What a server with the default configuration says of itself. */
export const API_LIMITS = {
  bodyBytesMax: 16 * 1024 * 1024,
  eventBytesMax: 1024 * 1024,
  depthMax: 64,
  eventsMax: 10_000,
};

export const api: OpenApi = describeApi({ version, ...API_LIMITS });

const ROOT = 'urn:sekali:api';

/** Compiles schemas of the description, with the date-times that Sekali takes. Strict: a keyword that does nothing fails. */
export class ApiValidator {
  readonly #ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });

  constructor({ components }: Pick<OpenApi, 'components'> = api) {
    this.#ajv.addFormat('date-time', (text: string) => parseInstant(text) !== undefined);
    this.#ajv.addVocabulary(['components']);
    this.#ajv.addSchema({ $id: ROOT, components });
  }

  /** A schema of the description, which may refer to others. */
  compile(schema: Schema): ValidateFunction {
    return this.#ajv.compile(
      JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', `"${ROOT}#/components/`)) as Schema,
    );
  }
}

/** The same description, but objects have no member that it does not name: what the server sends has to be described. */
export function closed(description: OpenApi): OpenApi {
  return JSON.parse(JSON.stringify(description), (_key, value: unknown) =>
    isObjectSchema(value) ? { additionalProperties: false, ...value } : value,
  ) as OpenApi;
}

function isObjectSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && 'required' in value && 'properties' in value;
}
