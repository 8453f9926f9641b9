import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
    ['cannot fetch from another origin', `fetch('http://localhost:9/')`, 'Failed to fetch'],
    ['cannot evaluate a string as code', `setTimeout('1', 0)`, 'TrustedScript'],
  ])('%s', async (_what, expression, error) => {
    const { page } = await visit(playground.browser, playground.app.url);
    await expect(page.evaluate(expression)).rejects.toThrow(error);
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
