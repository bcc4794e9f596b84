import { SqliteHarness } from '../support/sqlite-harness.ts';
import { testStore } from './store-contract.ts';

testStore('SQLite', async () => new SqliteHarness());
