import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** The ids of `nobody` and `nogroup` on Debian. Only root may start a process as another user. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

test('dist/ works alone, as another user, in a read-only folder, without a home, with an empty TMPDIR', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'read-only-'));
  onTestFinished(async () => {
    await promisify(execFile)('chmod', ['-R', 'u+w', folder]);
    await rm(folder, { recursive: true });
  });
  await cp(DIST, folder, { recursive: true });
  await promisify(execFile)('chmod', ['-R', 'a+rX,a-w', folder]);
  await chmod(folder, 0o555);
  const azure = await startAzure();
  onTestFinished(() => azure.close());

  const child = spawn(process.execPath, [join(folder, 'server.js')], {
    ...NOBODY,
    cwd: '/',
    env: { ...azure.env, PORT: '0', HTTP_AUTH_LEVEL: 'anonymous', HOME: '/nonexistent', TMPDIR: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((resolve) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, address] = /listening on (http:\/\/\S+)/.exec(output) ?? [];
      if (address) resolve(address);
    });
  });

  const body = new FormData();
  body.set('instructions', 'What is this?');
  body.set('schema', '{"type":"object","properties":{"what":{"type":"string"}},"required":["what"]}');
  body.set('image', new Blob([new Uint8Array(await still('image/png', 16, 16))]));
  const answer = await fetch(`${url}/api/processImage`, { method: 'POST', body });
  expect(answer.status, await answer.text()).toBe(200);
  for (const path of ['playground', 'openapi.json', 'health/ready'])
    expect((await fetch(`${url}/api/${path}`)).status, path).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
