import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bytes,
  choice,
  decimal,
  duration,
  envOf,
  flagOf,
  integer,
  type Kind,
  list,
  memberOf,
  optionalText,
  readSettings,
  text,
  toggle,
} from './settings.ts';

const SETTINGS = {
  batchSize: { kind: integer(1, 100), fallback: 10, form: 'EVENTS', meaning: '', olderEnv: ['BATCH_SIZE'] },
  apiKey: { kind: choice('good', 'better'), fallback: 'good', form: 'KEY', meaning: '', secret: true },
  follow: { kind: toggle, fallback: false, form: '', meaning: '', flagOnly: true },
} as const;

interface Given {
  flags?: Record<string, string | true>;
  env?: Record<string, string>;
  file?: Record<string, unknown>;
}

function read({ flags = {}, env = {}, file }: Given) {
  return readSettings(SETTINGS, {
    flags: new Map(Object.entries(flags)),
    env,
    file: file && { name: 'sekali.json', members: file },
  });
}

describe('a setting', () => {
  it('has one name in each place', () => {
    assert.equal(flagOf('batchSize'), 'batch-size');
    assert.equal(memberOf('batchSize'), 'batch_size');
    assert.deepEqual(envOf('batchSize', SETTINGS.batchSize), ['SEKALI_BATCH_SIZE', 'BATCH_SIZE']);
  });

  it('comes from the flag, else the environment, else the older name, else the file, else its default', () => {
    const all = {
      flags: { 'batch-size': '1' },
      env: { SEKALI_BATCH_SIZE: '2', BATCH_SIZE: '3' },
      file: { batch_size: 4 },
    };
    assert.equal(read(all).values.batchSize, 1);
    assert.equal(read({ ...all, flags: {} }).values.batchSize, 2);
    assert.equal(read({ ...all, flags: {}, env: { BATCH_SIZE: '3' } }).values.batchSize, 3);
    assert.equal(read({ file: all.file }).values.batchSize, 4);
    assert.equal(read({}).values.batchSize, 10);
  });

  it('is told to be given wherever it was, and not where only its default holds', () => {
    assert.deepEqual([...read({ env: { BATCH_SIZE: '10' } }).given], ['batchSize']);
    assert.deepEqual([...read({}).given], []);
  });

  it('that is empty in the environment is not given', () => {
    const { values, problems } = read({ env: { SEKALI_BATCH_SIZE: '', BATCH_SIZE: '3' } });
    assert.equal(values.batchSize, 3);
    assert.deepEqual(problems, []);
  });

  it('for the command line alone is not read elsewhere', () => {
    assert.equal(read({ flags: { follow: true } }).values.follow, true);
    assert.equal(read({ env: { SEKALI_FOLLOW: '1' } }).values.follow, false);
    assert.deepEqual(read({ file: { follow: true } }).problems, ['sekali.json: follow is no setting']);
  });
});

describe('what is wrong', () => {
  it('is told all at once, each with its place and the rule', () => {
    const { problems } = read({
      flags: { 'batch-sise': '1', port: '2' },
      env: { SEKALI_BATCH_SIZE: '0' },
      file: { api_keys: 'x' },
    });
    assert.deepEqual(problems, [
      '--batch-sise is no flag; did you mean "batch-size"?',
      '--port is no flag',
      'sekali.json: api_keys is no setting; did you mean "api_key"?',
      'SEKALI_BATCH_SIZE must be an integer from 1 to 100, not "0"',
    ]);
  });

  it('names the older variable when that is the one that is wrong', () => {
    assert.deepEqual(read({ env: { BATCH_SIZE: 'many' } }).problems, [
      'BATCH_SIZE must be an integer from 1 to 100, not "many"',
    ]);
  });

  it('never shows a secret', () => {
    const { problems } = read({ file: { api_key: 'hunter2' } });
    assert.deepEqual(problems, ['sekali.json: api_key must be one of good, better']);
  });

  it('leaves the default in place', () => {
    assert.equal(read({ env: { BATCH_SIZE: 'many' } }).values.batchSize, 10);
  });
});

describe('a setting that may be an object in the file', () => {
  const pair: Kind<readonly string[]> = {
    isSwitch: false,
    read: (given) => ({ value: [given] }),
    readMembers: (members) =>
      'bad' in members
        ? { rule: 'good', problems: ['bad is bad', 'so is this'] }
        : { value: Object.keys(members) },
  };
  const settings = { pair: { kind: pair, fallback: [] as readonly string[], form: '', meaning: '' } };
  const readFile = (members: Record<string, unknown>, flags: Record<string, string> = {}) =>
    readSettings(settings, {
      flags: new Map(Object.entries(flags)),
      env: {},
      file: { name: 'sekali.json', members },
    });

  it('is read from its members, or from a text', () => {
    assert.deepEqual(readFile({ pair: { left: 1, right: 2 } }).values.pair, ['left', 'right']);
    assert.deepEqual(readFile({ pair: 'text' }).values.pair, ['text']);
    assert.deepEqual(readFile({ pair: { left: 1 } }, { pair: 'flag' }).values.pair, ['flag']);
  });

  it('is refused with each of its problems, at its place', () => {
    assert.deepEqual(readFile({ pair: { bad: 1 } }).problems, [
      'sekali.json: pair: bad is bad',
      'sekali.json: pair: so is this',
    ]);
  });
});

describe('a kind', () => {
  const cases: [string, Kind<unknown>, Record<string, unknown>, string[]][] = [
    ['text', text, { '': '', ' a ': ' a ' }, []],
    ['optional text', optionalText, { a: 'a' }, []],
    [
      'toggle',
      toggle,
      { 1: true, true: true, YES: true, On: true, 0: false, false: false, no: false, off: false },
      ['', '2', 'y', 'enabled'],
    ],
    [
      'integer',
      integer(0, 65_535),
      { 0: 0, '007': 7, 65535: 65_535 },
      ['', '-1', '65536', '1.0', '1e3', '0x10', ' 1', '١'],
    ],
    [
      'decimal',
      decimal(0, 1),
      { 0: 0, '0.25': 0.25, '1.0': 1 },
      ['', '1.1', '-0', '.5', '1.', '1e-3', 'NaN'],
    ],
    [
      'bytes',
      bytes(1024, 1024 ** 3),
      { 1024: 1024, '1024b': 1024, '16MiB': 16 * 1024 ** 2, '2 kib': 2048, '1GIB': 1024 ** 3 },
      ['', '1023', '1.5MiB', '16MB', '16M', '2GiB', '-1', 'MiB'],
    ],
    [
      'duration',
      duration,
      { '1s': 1, '15m': 900, '012h': 43_200, '7d': 604_800, '52w': 31_449_600, '36500d': 3_153_600_000 },
      ['', '0s', '5', 's', '1.5h', '-1s', '1 d', '1D', '1M', '1d12h', '36501d', '1y'],
    ],
    ['choice', choice('asc', 'desc'), { asc: 'asc', desc: 'desc' }, ['', 'ASC', 'as', 'asc,desc']],
    [
      'list',
      list('letters', (item) => /^[a-z]$/.test(item)),
      { a: ['a'], ' a , b,': ['a', 'b'], '': [] },
      ['ab', 'a,1'],
    ],
  ];
  for (const [name, kind, accepted, refused] of cases) {
    it(`${name} reads what it should, and says its rule for the rest`, () => {
      for (const [given, value] of Object.entries(accepted)) {
        assert.deepEqual(kind.read(given), { value }, JSON.stringify(given));
      }
      for (const given of refused) {
        const result = kind.read(given);
        assert.ok('rule' in result && result.rule !== '', JSON.stringify(given));
      }
    });
  }

  it('that is a switch takes no value on the command line', () => {
    assert.ok(toggle.isSwitch);
    assert.ok([text, integer(0, 1), choice('a')].every((kind) => !kind.isSwitch));
  });
});
