/** The OpenAPI 3.1 description of the HTTP contract. */
export const openapi = { openapi: '3.1.0', info: { title: 'Sekali', version: '0.1.0' }, paths: {} };
export type OpenApi = typeof openapi;
