import { startServerProcess } from '../support/server-process.ts';
import { useServices } from '../support/services/services.ts';
import { tempDir } from '../support/temp-dir.ts';
import { runProtocolSuite } from './protocol-suite.ts';

const services = useServices('postgres', 'redis');

runProtocolSuite(
  async (t) => {
    const { url, key } = await services.redis();
    const env = {
      SEKALI_DATABASE_URL: await services.postgres(),
      SEKALI_REDIS_URL: url,
      SEKALI_QUEUE_KEY: key,
    };
    return (await startServerProcess(t, { dataDir: tempDir(t), env })).url;
  },
  { name: 'the protocol, on Redis and PostgreSQL', ...services.options },
);
