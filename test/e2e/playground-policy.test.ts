import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/dev/start/listen.ts';
import { checkedFetch } from './ask.ts';
import { type Playground, startPlayground } from './playground.ts';
import { visit } from './visitor.ts';

let playground: Playground;
beforeAll(async () => {
  playground = await startPlayground();
});
afterAll(async () => playground.stop());

describe('the page', () => {
  test('has a strict content security policy, no inline styles or handlers, and less than 40 KiB', async () => {
    const { headers, text } = await get();
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split('; ').map((directive) => directive.split(/ (.*)/)),
    );
    expect(policy).toEqual({
      'default-src': `'none'`,
      'style-src': expect.stringMatching(/^'sha256-[^ ]+'$/),
      'script-src': expect.stringMatching(/^'sha256-[^ ]+'$/),
      'img-src': 'blob: data:',
      'connect-src': `'self'`,
      'base-uri': `'none'`,
      'form-action': `'none'`,
      'frame-ancestors': `'none'`,
      'require-trusted-types-for': `'script'`,
      'trusted-types': `'none'`,
    });
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text.length).toBeLessThan(40 * 1024);
    expect(text).not.toMatch(/\sstyle=|\son\w+=|https?:\/\/(?!www\.w3\.org\/2000\/svg|ACCOUNT\.)/);
  });

  test.each([
    ['cannot set innerHTML', `document.body.innerHTML = '<p>x</p>'`, 'TrustedHTML'],
    ['cannot evaluate a string as code', `setTimeout('1', 0)`, 'TrustedScript'],
  ])('%s', async (_what, expression, error) => {
    const { page } = await visit(playground.browser, playground.app.url);
    await expect(page.evaluate(expression)).rejects.toThrow(error);
  });

  test('cannot fetch from another origin, even if that allows it', async () => {
    const paths: string[] = [];
    const other = createServer((req, res) => {
      paths.push(req.url ?? '');
      res.setHeader('access-control-allow-origin', '*').end();
    });
    onTestFinished(() => void other.close());
    const url = `http://127.0.0.1:${await listen(other, 0)}`;
    const { page } = await visit(playground.browser, playground.app.url);
    const status = async (path: string) => page.evaluate(async (to) => (await fetch(to)).status, url + path);
    await expect(status('/with-policy')).rejects.toThrow('Failed to fetch');
    // The same fetch succeeds from a page of the app without the policy.
    await page.goto(`${playground.app.url}/api/health`);
    expect(await status('/without-policy')).toBe(200);
    expect(paths).toEqual(['/without-policy']);
  });

  test('is not shown in a frame', async () => {
    const { page } = await visit(playground.browser, playground.app.url);
    await page.goto(`${playground.app.url}/api/health`);
    await page.setContent(
      `<iframe src="${playground.app.url}/api/playground"></iframe><iframe src="${playground.app.url}/api/health"></iframe>`,
    );
    const [framed, control] = page.mainFrame().childFrames();
    await expect.poll(async () => control?.content()).toContain('"status":"ok"');
    expect(await framed?.content()).not.toContain('Keyless');
  });
});

async function get(): Promise<{ headers: Headers; text: string }> {
  const response = await checkedFetch(`${playground.app.url}/api/playground`);
  return { headers: response.headers, text: await response.text() };
}
