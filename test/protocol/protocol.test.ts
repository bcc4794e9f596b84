import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runProtocolSuite } from './protocol-suite.ts';

/** `SEKALI_PROTOCOL_URL=http://… SEKALI_KEY=… npm test -- test/protocol/protocol.test.ts` tries a server that runs already. */
const given = process.env['SEKALI_PROTOCOL_URL'];

runProtocolSuite(async (t) => given ?? (await startServerProcess(t, { dataDir: tempDir(t) })).url, {
  key: given === undefined ? undefined : process.env['SEKALI_KEY'],
});
