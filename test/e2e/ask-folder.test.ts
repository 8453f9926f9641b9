import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { FULL, some } from '../tier.ts';
import { type App, startBoth } from './app.ts';

const ASK = fileURLToPath(new URL('../../src/dev/ask/ask.ts', import.meta.url));
const IMAGE = fileURLToPath(new URL('../images/sailboat-small.webp', import.meta.url));
const CONCURRENCY = 8;
const MANY = FULL ? 300 : 60;
/** How many are answered before each interruption. */
const INTERRUPTED_AFTER = some([MANY / 5, MANY / 2], 2);

let app: App;
let azure: EmulatedAzure;
let folder: string;
beforeAll(async () => {
  // The app asks once, so that what it is told reaches who asks it.
  ({ app, azure } = await startBoth({ UPSTREAM_MAX_RETRIES: '0' }, { answerDelayMs: 30 }));
});
beforeEach(async () => {
  azure.reset();
  folder = await mkdtemp(join(tmpdir(), 'ask-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});
afterAll(() => app.stop());

interface Asking {
  child: ChildProcessByStdio<null, Readable, Readable>;
  output(): string;
  ended: Promise<number | null>;
}

/** Runs what `npm run ask --` runs. */
function ask(...args: string[]): Asking {
  const child = spawn(process.execPath, [ASK, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output, ended: once(child, 'close').then(() => child.exitCode) };
}

function askAll(...options: string[]): Asking {
  return ask('images', 'What is this?', '--url', app.url, '--concurrency', String(CONCURRENCY), ...options);
}

async function writeImages(count: number): Promise<string[]> {
  const names = Array.from(
    { length: count },
    (_, at) => `${at % 3 === 0 ? 'more/' : ''}${at}.${at % 2 ? 'webp' : 'WEBP'}`,
  );
  await mkdir(join(folder, 'images/more'), { recursive: true });
  for (const name of names) await copyFile(IMAGE, join(folder, 'images', name));
  await writeFile(join(folder, 'images/notes.txt'), 'no image');
  return names.toSorted();
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => '');
  return text.split('\n').slice(0, -1);
}

async function filesIn(file: string): Promise<string[]> {
  const lines = await linesOf(file);
  return lines.map((line) => (JSON.parse(line) as { file: string }).file);
}

function asked(): number {
  return azure.model.requests.length;
}

describe('many images', () => {
  test('interrupted and resumed, each has one line, and none is asked about twice', async () => {
    const names = await writeImages(MANY);
    for (const enough of INTERRUPTED_AFTER) {
      const asking = askAll();
      await expect
        .poll(async () => (await linesOf('answers.ndjson')).length, { timeout: 20_000 })
        .toBeGreaterThan(enough);
      // As from a terminal and from npm.
      asking.child.kill('SIGINT');
      asking.child.kill('SIGINT');
      expect(await asking.ended, asking.output()).toBe(130);
      expect(asking.output()).toContain('Run it again to continue');
      expect((await linesOf('answers.ndjson')).length).toBe(asked());
    }
    const last = askAll();
    expect(await last.ended, last.output()).toBe(0);
    expect((await filesIn('answers.ndjson')).toSorted()).toEqual(names);
    expect(asked()).toBe(MANY);
  });

  test('killed and resumed, each has one line, and at most those in hand are asked about twice', async () => {
    const names = await writeImages(MANY);
    for (const enough of INTERRUPTED_AFTER) {
      const asking = askAll('--out', 'answers.csv');
      await expect.poll(async () => (await linesOf('answers.csv')).length, { timeout: 20_000 }).toBeGreaterThan(enough);
      asking.child.kill('SIGKILL');
      await asking.ended;
    }
    const last = askAll('--out', 'answers.csv');
    expect(await last.ended, last.output()).toBe(0);
    const rows: string[][] = parse(await readFile(join(folder, 'answers.csv')), { bom: true, from_line: 2 });
    expect(rows.map(([file = '']) => file).toSorted()).toEqual(names);
    expect(rows[0]?.[1]).toContain('emulated');
    expect(asked()).toBeLessThanOrEqual(MANY + 2 * CONCURRENCY);
  });
});

test('each image is sent chunked, with the question, the schema and the key', async () => {
  await writeImages(2);
  const schema = { type: 'object', properties: { colour: { type: 'string' } } };
  await writeFile(join(folder, 'schema.json'), JSON.stringify(schema));
  const seen: { path: string | undefined; headers: IncomingHttpHeaders; body: FormData }[] = [];
  const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  const answer = { answer: '{}', data: { colour: 'red' }, refusal: null, finishReason: 'stop', model: 'm', usage };
  const server = createServer((req, res) => {
    void (async () => {
      const type = { 'content-type': req.headers['content-type'] ?? '' };
      seen.push({
        path: req.url,
        headers: req.headers,
        body: await new Response(Readable.toWeb(req), { headers: type }).formData(),
      });
      res.end(JSON.stringify(answer));
    })();
  });
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${await listen(server, 0)}`;
  const options = ['--schema', 'schema.json', '--out', 'colours.csv', '--key', 'a-key'];
  const asking = ask('images', 'What is this?', '--url', `${url}/`, ...options);
  expect(await asking.ended, asking.output()).toBe(0);

  expect(seen).toHaveLength(2);
  for (const { path, headers, body } of seen) {
    expect(path).toBe('/api/processImage');
    expect(headers).toMatchObject({ 'transfer-encoding': 'chunked', 'x-functions-key': 'a-key' });
    expect(headers).not.toHaveProperty('content-length');
    expect(body.get('instructions')).toBe('What is this?');
    expect(body.get('schema')).toBe(JSON.stringify(schema));
    expect(body.get('image')).toMatchObject({ size: 556 });
  }
  const rows: string[][] = parse(await readFile(join(folder, 'colours.csv')), { bom: true });
  expect(rows.map((row) => row[1])).toEqual(['colour', 'red', 'red']);
});

test('a rate limit is waited for, and is no failure', async () => {
  await writeImages(20);
  azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 5);
  const asking = askAll();
  expect(await asking.ended, asking.output()).toBe(0);
  expect(await linesOf('answers.ndjson')).toHaveLength(20);
});

test('Ctrl-C ends a wait', async () => {
  await writeImages(3);
  azure.model.fail({ status: 429, headers: { 'retry-after': '60' } }, 100);
  const asking = askAll();
  await expect.poll(asked, { timeout: 20_000 }).toBe(3);
  asking.child.kill('SIGINT');
  expect(await asking.ended, asking.output()).toBe(130);
});

test('images that fail are listed, get no line, and are asked about again', async () => {
  await writeImages(5);
  await writeFile(join(folder, 'images/broken.jpg'), 'no image at all');
  const asking = askAll();
  expect(await asking.ended).toBe(1);
  expect(asking.output()).toMatch(/^broken\.jpg: .*\(unsupported_image_type\)$/m);
  expect(await linesOf('answers.ndjson')).toHaveLength(5);

  await copyFile(IMAGE, join(folder, 'images/broken.jpg'));
  expect(await askAll().ended).toBe(0);
  expect(asked()).toBe(6);
});

const MISTAKES: readonly (readonly [args: string[], words: string])[] = [
  [[], 'Give a folder and a question'],
  [['images'], 'Give a folder and a question'],
  [['images', 'What', 'is', 'this?'], 'in quotes'],
  [['images', 'What?', '--concurrency', '0'], '--concurrency must be'],
  [['images', 'What?', '--url', 'localhost:7071'], '--url must begin with'],
  [['images', 'What?', '--schema', 'nowhere.json'], '--schema: nowhere.json'],
  [['images', 'What?', '--unknown'], '--unknown'],
];
test.each(some(MISTAKES, 3))('%j is answered with how it is used', async (args, words) => {
  const asking = ask(...args);
  expect(await asking.ended).toBe(2);
  expect(asking.output()).toContain(words);
  expect(asking.output()).toContain('Usage: npm run ask');
});

test('--help says how it is used', async () => {
  const asking = ask('--help');
  expect(await asking.ended).toBe(0);
  expect(asking.output()).toMatch(/^Usage: npm run ask/);
});

test('a folder that is not there, and an app that does not answer, are said', async () => {
  const nowhere = ask('nowhere', 'What?', '--url', app.url);
  expect([await nowhere.ended, nowhere.output()]).toEqual([2, expect.stringContaining('There is no folder nowhere.')]);
  await writeImages(1);
  const nobody = ask('images', 'What?', '--url', 'http://127.0.0.1:9');
  expect([await nobody.ended, nobody.output()]).toEqual([1, expect.stringMatching(/^more\/0\.WEBP: fetch failed: /m)]);
});
