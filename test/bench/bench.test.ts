import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { check } from './checks.ts';
import { tiny } from './plan.ts';
import { DRAWN, plot } from './plot.ts';
import { report, withFigures } from './report.ts';
import { type Results, run } from './run.ts';
import { SIDES } from './side.ts';

let results: Results;
beforeAll(async () => (results = await run(tiny, () => {})), 300_000);

test('every side answers every request of a load, and sends the whole image to the upstream', () => {
  expect(results.cells.map(({ side }) => side)).toEqual(SIDES);
  for (const { answered, failed } of results.cells) expect({ answered, failed }).toEqual({ answered: 16, failed: {} });
});

test('every side has a figure for each measure', () => {
  for (const { addedP50Ms, addedP99Ms, ...cell } of results.cells) {
    expect([addedP50Ms, addedP99Ms].every(Number.isFinite)).toBe(true);
    expect(cell.perSecond).toBeGreaterThan(1);
    expect(cell.cpuSecondsPer1000).toBeGreaterThan(0.1);
    expect(cell.rssOverIdleMb).toBeGreaterThanOrEqual(0);
    expect(cell.longestBlockMs).toBeGreaterThanOrEqual(0);
  }
});

test('all slow requests and all requests of a burst are answered', () => {
  expect(results.slow).toMatchObject({ answered: 4, failed: {} });
  expect(results.slow.seconds).toBeGreaterThan(2);
  expect(results.burst).toMatchObject({ answered: 4, shed: 0, failed: {}, aliveAfter: true, nextAnswer: '200' });
});

test("all requests in OpenAI's two formats are answered", () => {
  expect(results.openAi.map(({ api }) => api)).toEqual(['chat/completions', 'responses']);
  for (const { answered, failed } of results.openAi) expect({ answered, failed }).toEqual({ answered: 8, failed: 0 });
});

test('the server, the other ways to serve and the gateway answer every request', () => {
  const { costs, memory, idle } = results.served;
  expect(costs.map(({ way, format }) => `${format}: ${way}`)).toEqual([
    'raw: server',
    'raw: npm start',
    'raw: floor',
    'chat: server',
    'chat: @portkey-ai/gateway',
  ]);
  for (const { answered, failed, cpuMs } of costs) {
    expect({ answered, failed }).toEqual({ answered: 4, failed: 0 });
    expect(cpuMs).toBeGreaterThan(0.1);
  }
  expect(memory.map(({ form, answered, shed }) => [form, answered + shed])).toEqual([
    ['Content-Length', 4],
    ['chunked', 4],
    ['chat', 4],
  ]);
  expect(idle).toMatchObject({ count: 50, open: 50, answer: '200' });
});

test('every request with a phone picture is answered', () => {
  expect(results.pictures.map(({ name }) => name)).toEqual(['JPEG', 'JPEG with metadata', 'turned JPEG', 'HEIC']);
  for (const { answered, failed } of results.pictures) expect({ answered, failed }).toEqual({ answered: 2, failed: 0 });
});

test('the CPU time of reading an image that needs no change is measured for each size', () => {
  expect(results.untouched.map(({ megabytes }) => megabytes)).toEqual([0.1]);
  for (const { cpuMs } of results.untouched) expect(cpuMs).toBeGreaterThan(0);
});

test('the report names every side and every promise, and the plot draws all sides but one', () => {
  const text = report(results);
  for (const { promise } of check(results)) expect(text).toContain(promise);
  for (const side of SIDES) expect(text).toContain(side);
  for (const at of Object.keys(DRAWN).keys()) expect(plot(results)).toContain(`<circle class="s${at}"`);
});

test('the figures are written between the two comments of the README, and replace only what is there', async () => {
  const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');
  const cells = results.cells.map((cell) => ({ ...cell, megabytes: 1, perSecond: 123_456 }));
  const written = withFigures(readme, { ...results, cells });
  expect(written).toContain('123456');
  expect(withFigures(written, { ...results, cells })).toBe(written);
  expect(() => withFigures('# A document without the comments', results)).toThrow('the document must have');
});
