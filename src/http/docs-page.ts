import type { OpenApi } from '../protocol/openapi.ts';

export function renderDocs(document: OpenApi): string {
  return `<!doctype html><title>${document.info.title}</title>`;
}
