/** Writes the tables of docs/reference/configuration.md anew: `node scripts/write-reference.ts`. A test compares them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from './reference-tables.ts';

const FILE = 'docs/reference/configuration.md';
writeFileSync(FILE, withTables(readFileSync(FILE, 'utf8')));
