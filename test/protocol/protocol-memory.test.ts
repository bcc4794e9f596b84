import { startSekali } from '../../src/testing/index.ts';
import { runProtocolSuite } from './protocol-suite.ts';

runProtocolSuite(
  async (t) => {
    const sekali = await startSekali();
    t.after(() => sekali.stop());
    return sekali.url;
  },
  { name: 'the protocol, in memory' },
);
