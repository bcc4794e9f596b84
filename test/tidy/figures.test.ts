import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { figuresIn, type IngestReport, REPORT_FILE, renderFigures } from '../../bench/figures.ts';

test('the figures in the README are those that the bench wrote', () => {
  const report = JSON.parse(readFileSync(REPORT_FILE, 'utf8')) as IngestReport;
  assert.equal(figuresIn(readFileSync('README.md', 'utf8')), renderFigures(report));
});
