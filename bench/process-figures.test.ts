import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { cpuSecondsOf, cpuSecondsOfFamily } from './process-figures.ts';

const linux = { skip: process.platform === 'linux' ? false : 'only Linux tells' };

test('the processor time of a family has that of children that have ended', linux, () => {
  const own = cpuSecondsOf(process.pid);
  const family = cpuSecondsOfFamily(process.pid);
  execFileSync(process.execPath, [
    '-e',
    'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);',
  ]);
  const ownAfter = cpuSecondsOf(process.pid) - own;
  const familyAfter = cpuSecondsOfFamily(process.pid) - family;
  assert.ok(familyAfter - ownAfter >= 0.28, `${familyAfter} of the family, ${ownAfter} its own`);
});
