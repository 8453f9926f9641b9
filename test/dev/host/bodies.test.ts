import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

const MB = 1024 * 1024;

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

describe('a body', () => {
  test.each(['with a Content-Length', 'chunked'])('arrives complete in both directions, %s', async (how) => {
    const bytes = randomBytes(20 * MB);
    const body = how === 'chunked' ? Readable.toWeb(Readable.from([bytes.subarray(0, MB), bytes.subarray(MB)])) : bytes;
    const response = await fetch(`${app.url}/v1/echo`, { method: 'POST', body, duplex: 'half' });
    const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
    expect(sha256(await response.bytes())).toBe(sha256(bytes));
  });

  test('is not accepted faster than the app reads it', async () => {
    const upload = request(`${app.url}/v1/stalls`, { method: 'POST', headers: { 'content-length': 400 * MB } });
    upload.on('error', () => {});
    const piece = Buffer.alloc(MB);
    let sent = 0;
    while (sent < 400 && (upload.write(piece) || (await Promise.race([once(upload, 'drain'), sleep(1000)])))) sent += 1;
    upload.destroy();
    expect(sent).toBeLessThan(100);
  });

  test.each(['breaks', 'endless?severed'])('that breaks off in the app breaks off for the client: %s', async (path) => {
    const response = await fetch(`${app.url}/v1/${path}`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });
});
