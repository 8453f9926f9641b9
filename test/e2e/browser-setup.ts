import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packed, { inflate } from '@sparticuz/chromium';
import { type BrowserServer, chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';
import { listen } from '../../src/dev/start/listen.ts';

const PACKED = fileURLToPath(new URL('../../node_modules/@sparticuz/chromium/bin', import.meta.url));

/** Provides one browser for all tests of the run. It starts when the first test asks for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let browser: Promise<BrowserServer> | undefined;
  const server = createServer((_, response) => {
    browser ??= startBrowser();
    browser.then(
      (started) => response.end(started.wsEndpoint()),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  project.provide('browser', `http://127.0.0.1:${await listen(server, 0)}`);
  return async () => {
    server.close();
    await (await browser)?.close();
  };
}

/**
 * Starts the Chromium of an npm package, with the libraries and fonts that it needs, so that nothing has to be
 * installed on a Linux machine. It is unpacked into a new folder, because another run on the same machine may be
 * unpacking its own copy. `close()` removes the files.
 */
export async function startBrowser(): Promise<BrowserServer> {
  const dir = await mkdtemp(join(tmpdir(), 'chromium-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove); // also if the start below fails
  const executablePath = await unpack(dir);
  // The package's own configuration looks for fonts only in /tmp. Without a font, Chromium crashes at the first letter.
  await writeFile(
    join(dir, 'fonts.conf'),
    `<fontconfig><dir>${dir}/fonts</dir><cachedir>${dir}/cache</cachedir></fontconfig>`,
  );
  const browser = await chromium.launchServer({
    host: '127.0.0.1',
    executablePath,
    env: { HOME: dir, TMPDIR: dir, FONTCONFIG_FILE: join(dir, 'fonts.conf'), LD_LIBRARY_PATH: join(dir, 'al2023/lib') },
  });
  browser.once('close', remove);
  return browser;
}

/** Unpacks Chromium. The package always unpacks into the system's temporary directory, so TMPDIR is changed for it. */
async function unpack(dir: string): Promise<string> {
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = dir;
  try {
    const [executablePath] = await Promise.all([packed.executablePath(PACKED), inflate(join(PACKED, 'al2023.tar.br'))]);
    return executablePath;
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  }
}
