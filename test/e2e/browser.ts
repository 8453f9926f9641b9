import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packed, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const PACKED = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin');

/**
 * Starts the Chromium that npm brought, with the libraries and fonts that it needs, so that nothing has to be installed
 * on a Linux machine. It is unpacked anew: another run on the same machine may be half through with its own.
 * `browser.close()` removes it again.
 */
export async function startBrowser(): Promise<Browser> {
  const dir = await mkdtemp(join(tmpdir(), 'chromium-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove); // also where the start below fails
  const executablePath = await unpack(dir);
  // The package's own configuration knows its fonts under /tmp only; without any font, Chromium ends at the first letter.
  await writeFile(
    join(dir, 'fonts.conf'),
    `<fontconfig><dir>${dir}/fonts</dir><cachedir>${dir}/cache</cachedir></fontconfig>`,
  );
  const browser = await chromium.launch({
    executablePath,
    env: { HOME: dir, TMPDIR: dir, FONTCONFIG_FILE: join(dir, 'fonts.conf'), LD_LIBRARY_PATH: join(dir, 'al2023/lib') },
  });
  browser.once('disconnected', remove);
  return browser;
}

/** The package unpacks into the system's directory for temporary files, whichever that is at the moment. */
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
