import type { OpenApi } from '../protocol/openapi/document.ts';
import { operationsOf } from '../protocol/openapi/operations.ts';
import { Html, html, inline, prose } from './docs-page/html.ts';
import { renderOperation } from './docs-page/operation.ts';
import { renderNamedSchema } from './docs-page/schema.ts';
import { STYLE } from './docs-page/style.ts';

/** The description as one page for people: no script, nothing loaded from anywhere, readable in light and dark. */
export function renderDocs(api: OpenApi): string {
  const { info, tags, components } = api;
  const groups = tags.map((tag) => ({
    ...tag,
    places: operationsOf(api).filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const schemas = Object.entries(components.schemas);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} ${info.version}: HTTP API</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<div class="page">
<nav aria-label="Contents">
<a class="brand" href="#top">${info.title}</a>
${groups.map(
  ({ name, places }) => html`<h2>${name}</h2>
<ul>
${places.map(({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>\n`)}</ul>
`,
)}<h2>More</h2>
<ul>
<li><a href="#keys">API keys</a></li>
<li><a href="#shapes">Shapes</a></li>
<li><a href="openapi.json">openapi.json</a></li>
</ul>
</nav>
<main id="top">
<h1>${info.title} <small>${info.version}</small></h1>
<p class="lead">${info.summary}</p>
${prose(info.description)}
${groups.map(
  ({ name, description, places }) => html`<section aria-labelledby="tag-${name}">
<h2 id="tag-${name}">${name}</h2>
<p>${inline(description)}</p>
${places.map(({ path, method, operation }) => renderOperation(path, method, operation))}</section>
`,
)}<section aria-labelledby="keys">
<h2 id="keys">API keys</h2>
<ul>
${Object.values(components.securitySchemes).map(
  ({
    scheme,
    description,
  }) => html`<li><code>Authorization: ${scheme === 'bearer' ? 'Bearer' : 'Basic'} …</code> ${inline(description)}</li>
`,
)}</ul>
</section>
<section aria-labelledby="shapes">
<h2 id="shapes">Shapes</h2>
${schemas.map(([name, schema]) => renderNamedSchema(name, schema))}</section>
</main>
</div>
</body>
</html>
`.markup;
}
