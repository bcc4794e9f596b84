import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { bundleClient } from '../../scripts/bundle-client.ts';
import { run } from '../../scripts/run.ts';
import { atEnd } from './at-end.ts';
import { chromiumProgram } from './services/find-program.ts';

/** A browser, and a web site that has the client: as one module at `/client.js`, and as the package has it below `/dist/`. */
export class WebSite {
  readonly #browser: Browser;
  readonly #server: Server;

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<WebSite> {
    // Nothing is done where it was built before.
    if ((await run(process.execPath, ['scripts/build.ts'])) !== 0) throw new Error('src cannot be built');
    const { code } = await bundleClient();
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://site').pathname;
      const isScript = path.endsWith('.js');
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      if (path === '/client.js') response.end(code);
      else response.end(isScript ? readFileSync(join('.', path)) : '<!doctype html><title>A page</title>');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    atEnd(t, () => server.close().closeAllConnections());
    const program = chromiumProgram();
    if (program === undefined) throw new Error('Chromium is not installed: apt install chromium');
    // Without its sandbox, which root, and many a container, cannot have: it opens nothing but this site.
    const browser = await chromium.launch({ executablePath: program, chromiumSandbox: false });
    atEnd(t, () => browser.close());
    return new WebSite(browser, server);
  }

  /** @param host a name of this machine: another name is another origin */
  origin(host = '127.0.0.1'): string {
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A page of an origin. `client` of its window is what `sekali/client` exports. */
  async open(origin: string, script = '/client.js'): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.goto(origin);
    await page.evaluate(async (path) => {
      Object.assign(globalThis, { client: await import(path) });
    }, script);
    return page;
  }
}
