/** The tables of docs/reference/configuration.md, from the settings as they are declared. */
import { CONNECTION_SETTINGS } from '../src/cli/connection.ts';
import { OLDER_SERVER_ENV, SERVER_SETTINGS } from '../src/server-settings.ts';
import { envOf, flagOf, memberOf, type Setting } from '../src/settings.ts';

/** No kind takes this, but those that take any text. */
const NO_VALUE = '\0';

const TABLES: Readonly<Record<string, () => string>> = {
  server: serverTable,
  connection: connectionTable,
  older: olderTable,
};

/** A document whose tables, each between `<!-- table: NAME -->` and `<!-- end -->`, are written anew. */
export function withTables(markdown: string): string {
  return markdown.replace(
    /(<!-- table: (\S+) -->\n).*?(<!-- end -->)/gs,
    (_, begin: string, name: string, end: string) => {
      const print = TABLES[name];
      if (print === undefined) throw new Error(`there is no table ${name}`);
      return `${begin}\n${print()}\n${end}`;
    },
  );
}

function serverTable(): string {
  const rows = Object.entries<Setting<unknown>>(SERVER_SETTINGS).map(([name, setting]) => [
    printFlag(name, setting),
    printVariables(name, setting),
    name === 'config' ? '' : code(memberOf(name)), // a file cannot name another one
    printDefault(setting),
    valuesOf(setting),
    setting.meaning,
  ]);
  return table(['flag', 'variable', 'member of the file', 'default', 'values', 'meaning'], rows);
}

function connectionTable(): string {
  const rows = Object.entries<Setting<unknown>>(CONNECTION_SETTINGS).map(([name, setting]) => [
    printFlag(name, setting),
    printVariables(name, setting),
    printDefault(setting),
    setting.meaning,
  ]);
  return table(['flag', 'variable', 'default', 'meaning'], rows);
}

function olderTable(): string {
  const rows = Object.entries(OLDER_SERVER_ENV).map(([older, name]) => [
    code(older),
    code(`--${flagOf(name)}`),
  ]);
  return table(['variable', 'is read as'], rows);
}

function printFlag(name: string, { form }: Setting<unknown>): string {
  return code(`--${flagOf(name)}${form === '' ? '' : ` ${form}`}`);
}

function printVariables(name: string, setting: Setting<unknown>): string {
  return envOf(name, setting).map(code).join(', ');
}

/** As a person writes it: sizes in the largest unit that fits. */
export function printDefault({ fallback, kind }: Setting<unknown>): string {
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return '';
  if (kind.isSwitch) return fallback === true ? 'on' : 'off';
  return code(isSize({ kind }) ? printBytes(Number(fallback)) : JSON.stringify(fallback).replaceAll('"', ''));
}

function valuesOf(setting: Setting<unknown>): string {
  if (setting.kind.isSwitch) return 'a switch';
  const result = setting.kind.read(NO_VALUE);
  if (!('rule' in result)) return 'any text';
  if (!isSize(setting)) return result.rule;
  const [min = 0, max = 0] = [...result.rule.matchAll(/\d+/g)].map(Number);
  return `a size from ${printBytes(min)} to ${printBytes(max)}`;
}

function isSize({ kind }: Pick<Setting<unknown>, 'kind'>): boolean {
  const result = kind.read(NO_VALUE);
  return 'rule' in result && result.rule.startsWith('bytes from ');
}

function printBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const unit = units.findLastIndex((_, power) => bytes % 1024 ** power === 0 && bytes >= 1024 ** power);
  return `${bytes / 1024 ** unit} ${units[unit]}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, titles.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}
