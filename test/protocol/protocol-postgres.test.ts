import { startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runProtocolSuite } from './protocol-suite.ts';

const services = useServices('postgres');

runProtocolSuite(
  async (t) => {
    const env = { SEKALI_DATABASE_URL: await services.postgres() };
    return (await startServerProcess(t, { dataDir: tempDir(t), env })).url;
  },
  { name: 'the protocol, on PostgreSQL', ...services.options },
);
