/** Markup. Any other text is escaped before it goes into a page. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlValue = string | number | Html | readonly Html[];

/** A template whose values are escaped, unless they are markup. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((all, part, i) => all + markupOf(values[i - 1] ?? '') + part));
}

/** Paragraphs, parted by blank lines, with code between backquotes. */
export function prose(text: string): Html {
  return new Html(
    text
      .split(/\n\s*\n/)
      .map((paragraph) => `<p>${inline(paragraph).markup}</p>`)
      .join('\n'),
  );
}

/** Text with code between backquotes. */
export function inline(text: string): Html {
  const pieces = text
    .split('`')
    .map((piece, i) => (i % 2 === 0 ? html`${piece}` : html`<code>${piece}</code>`));
  return new Html(markupOf(pieces));
}

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map((item) => item.markup).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
