/** The page brings its style along: nothing is loaded from anywhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f6f7f9; --line: #dfe3e8; --text: #1c2430; --soft: #5b6675; --link: #0b5cad;
  --get: #0b6e4f; --post: #8a4b08; --good: #0b6e4f; --refused: #8a4b08; --failed: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --raised: #1a2029; --line: #2c3542; --text: #dde3ea; --soft: #98a4b3; --link: #7db7f5;
    --get: #5fd3a7; --post: #f0b36b; --good: #5fd3a7; --refused: #f0b36b; --failed: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 78rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 2rem 1.25rem; font-size: .875rem; }
nav h2 { margin: 1.25rem 0 .25rem; border: 0; font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .15rem 0; color: var(--text); }
nav .brand { font-size: 1.125rem; font-weight: 700; color: var(--text); }
main { min-width: 0; padding: 2rem 2.5rem 6rem; border-left: 1px solid var(--line); }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
h1 small { font-size: 1rem; font-weight: 400; color: var(--soft); }
h2 { margin: 3.5rem 0 .25rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.375rem; }
h3 { margin: 0; font-size: 1.125rem; }
h3 a { color: inherit; }
h4 { margin: 1.5rem 0 .5rem; font-size: .875rem; color: var(--soft); }
.lead { margin: .25rem 0 1rem; font-size: 1.125rem; color: var(--soft); }
article, .shape { padding: 1.75rem 0; border-bottom: 1px solid var(--line); }
article:last-child, .shape:last-child { border-bottom: 0; }
.address { margin: .35rem 0 1rem; }
.method { font-size: .75rem; font-weight: 700; letter-spacing: .04em; padding: .1rem .45rem; border: 1px solid currentColor; border-radius: .25rem; }
.GET { color: var(--get); } .POST { color: var(--post); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .75rem; font-weight: 600; color: var(--soft); }
tbody th { font-weight: 400; }
td.kind { color: var(--soft); }
.note { font-size: .75rem; color: var(--soft); }
.status { font-variant-numeric: tabular-nums; font-weight: 600; }
.s2 { color: var(--good); } .s4 { color: var(--refused); } .s5 { color: var(--failed); }
pre { margin: 0; padding: .8rem 1rem; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: .375rem; line-height: 1.5; }
.call { white-space: pre-wrap; overflow-wrap: anywhere; }
.example { margin: .75rem 0; }
.example summary { cursor: pointer; margin-bottom: .4rem; font-size: .875rem; font-weight: 600; }
.example pre + pre { border-top: 0; border-radius: 0 0 .375rem .375rem; background: var(--ground); }
.example pre:not(:last-child) { border-radius: .375rem .375rem 0 0; }
@media (max-width: 52rem) {
  .page { display: block; }
  nav { position: static; max-height: none; border-bottom: 1px solid var(--line); padding: 1.25rem; columns: 2; }
  nav .brand { column-span: all; display: block; }
  nav h2 { break-after: avoid; }
  main { border-left: 0; padding: 1.25rem 1.25rem 4rem; }
}
`;
