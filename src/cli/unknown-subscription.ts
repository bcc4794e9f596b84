import { RequestError } from '../client/request-error.ts';
import { EXIT } from './command.ts';

/** Runs a command about one subscription: where there is none of its name, that is told, and the exit code says it. */
export async function unlessUnknown(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== 'subscription_unknown') throw error;
    process.stderr.write(`sekali: ${error.message}\n`);
    return EXIT.notFound;
  }
}
