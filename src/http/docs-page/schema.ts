import type { Schema } from '../../protocol/openapi/document.ts';
import { Html, html, inline } from './html.ts';

/** What kind of value a schema asks for, in a few words. */
export function kindOf(schema: Schema): Html {
  if (schema.$ref !== undefined) return linkTo(schema.$ref);
  if (schema.oneOf !== undefined) return joined(schema.oneOf.map(kindOf), ' or ');
  if (schema.allOf !== undefined) return schema.allOf[0] ? kindOf(schema.allOf[0]) : html``;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined) {
    return joined(
      schema.enum.map((value) => html`<code>${value}</code>`),
      ', ',
    );
  }
  if (schema.type === 'array') {
    return html`array of ${schema.items ? kindOf(schema.items) : 'values'}${arrayBounds(schema)}`;
  }
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length > 0) {
    const members = properties.map(([name, member]) => html`<code>${name}</code>: ${kindOf(member)}`);
    return html`{ ${joined(members, ', ')} }`;
  }
  const types = [schema.type ?? 'any value'].flat().join(' or ');
  return html`${schema.format === undefined ? types : `${types} (${schema.format})`}${bounds(schema)}`;
}

/** A schema of the components: its members, or what it asks for. */
export function renderNamedSchema(name: string, schema: Schema): Html {
  const members = Object.entries(schema.properties ?? {});
  return html`<section id="schema-${name}" class="shape">
<h3><a href="#schema-${name}">${name}</a></h3>
<p>${inline(schema.description ?? '')}</p>
${members.length === 0 ? html`<p class="kind">${kindOf(schema)}</p>` : memberTable(members, schema.required ?? [])}
</section>
`;
}

function memberTable(members: readonly [string, Schema][], required: readonly string[]): Html {
  return html`<div class="scroll"><table>
<thead><tr><th scope="col">Member</th><th scope="col">Kind</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${members.map(
  ([name, schema]) => html`<tr><th scope="row"><code>${name}</code>${
    required.includes(name) ? '' : html` <span class="note">optional</span>`
  }</th><td class="kind">${kindOf(schema)}</td><td>${inline(schema.description ?? '')}</td></tr>
`,
)}</tbody></table></div>`;
}

function linkTo(reference: string): Html {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return html`<a href="#schema-${name}">${name}</a>`;
}

function joined(items: readonly Html[], separator: string): Html {
  return new Html(items.map((item) => item.markup).join(separator));
}

function arrayBounds({ minItems, maxItems }: Schema): string {
  return range(minItems, maxItems, ' items');
}

function bounds({ minimum, maximum, minLength, maxLength }: Schema): string {
  return range(minimum, maximum, '') + range(minLength, maxLength, ' characters');
}

function range(min: number | undefined, max: number | undefined, unit: string): string {
  if (max === Number.MAX_SAFE_INTEGER) return range(min, undefined, unit);
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}${unit}`;
  if (min !== undefined) return `, from ${min}${unit}`;
  return max === undefined ? '' : `, at most ${max}${unit}`;
}
