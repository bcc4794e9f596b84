import type { Answer, Operation, Parameter, RequestBody } from '../../protocol/openapi/document.ts';
import { type ExampleCall, exampleCalls, printExample } from '../../protocol/openapi/example-calls.ts';
import { Html, html, inline, prose } from './html.ts';
import { kindOf } from './schema.ts';

/** Where the examples find the server: the address it listens on unless told otherwise. */
const EXAMPLE_ORIGIN = 'http://127.0.0.1:8080';

export function renderOperation(path: string, method: ExampleCall['method'], operation: Operation): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  return html`<article id="${operationId}">
<h3><a href="#${operationId}">${summary}</a></h3>
<p class="address"><span class="method ${method}">${method}</span> <code>${path}</code></p>
${prose(description)}
${parameters.length === 0 ? '' : parameterTable(parameters)}
${requestBody ? renderBody(requestBody) : ''}
${exampleCalls(path, method, operation).map((call, i) => renderCall(call, i === 0))}
<h4>Answers</h4>
<div class="scroll"><table>
<thead><tr><th scope="col">Status</th><th scope="col">Body</th><th scope="col">When</th></tr></thead>
<tbody>
${Object.entries(responses).map(([status, answer]) => renderAnswer(status, answer))}</tbody></table></div>
</article>
`;
}

function parameterTable(parameters: readonly Parameter[]): Html {
  return html`<h4>Parameters</h4>
<div class="scroll"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Default</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${parameters.map(
  ({ name, in: place, required, schema, description }) => html`<tr><th scope="row"><code>${name}</code>${
    place === 'query' ? '' : html` <span class="note">${place}</span>`
  }${required ? html` <span class="note">required</span>` : ''}</th><td class="kind">${kindOf(schema)}</td><td>${
    schema.default === undefined ? '' : html`<code>${String(schema.default)}</code>`
  }</td><td>${inline(description)}</td></tr>
`,
)}</tbody></table></div>`;
}

function renderBody({ description, content }: RequestBody): Html {
  return html`<h4>Body</h4>
${prose(description)}
<ul>
${Object.entries(content).map(
  ([
    media,
    { schema },
  ]) => html`<li><code>${media}</code>: ${schema.$ref ? kindOf(schema) : inline(schema.description ?? '')}</li>
`,
)}</ul>`;
}

function renderCall(call: ExampleCall, isOpen: boolean): Html {
  return html`<details class="example"${new Html(isOpen ? ' open' : '')}><summary>${call.title}</summary>
<pre class="call"><code>${printCurl(call)}</code></pre>
${call.answer ? html`<pre><code>${printExample(call.answer)}</code></pre>` : ''}</details>
`;
}

/** The call as a command for a POSIX shell. */
function printCurl({ method, target, headers, body }: ExampleCall): string {
  const implied = body === undefined ? 'GET' : 'POST';
  const parts = [
    `curl ${implied === method ? '' : `-X ${method} `}${quote(EXAMPLE_ORIGIN + target)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-binary ${quote(body)}`]),
  ];
  return parts.join(' \\\n  ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function renderAnswer(status: string, { description, content = {}, headers = {} }: Answer): Html {
  const bodies = Object.entries(content).map(
    ([media, { schema }]) =>
      html`<div><code>${media}</code> ${schema.$ref || schema.allOf ? kindOf(schema) : ''}</div>`,
  );
  const reasons = description.split('\n').map((line) => html`<div>${inline(line)}</div>`);
  const names = Object.keys(headers);
  return html`<tr><th scope="row"><span class="status s${status.slice(0, 1)}">${status}</span></th><td class="kind">${bodies}</td><td>${reasons}${
    names.length === 0 ? '' : html`<div class="note">with <code>${names.join(', ')}</code></div>`
  }</td></tr>
`;
}
