import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/dev/start/listen.ts';
import { codeBlocks, readDocument, ROOT } from '../documents.ts';
import { startBoth } from './app.ts';
import { keepSecret } from './secrets.ts';

const EXAMPLES = readDocument('src/request/README.md');
const LOCAL = 'http://127.0.0.1:7071';

test.each([
  ['js', process.execPath, '--input-type=module'],
  ['python', 'python3', '-'],
])('the %s example sends a file in chunks and prints the answer', async (language, command, argument) => {
  const example = codeBlocks(EXAMPLES, language).find((block) => block.includes(LOCAL)) ?? '';
  keepSecret('image', readFileSync(`${ROOT}test/images/sailboat.jpg`));
  const { app, azure } = await startBoth();
  const seen: IncomingHttpHeaders[] = [];
  const url = await startRecordingProxy(app.url, seen);
  onTestFinished(async () => {
    await app.stop();
    azure.close();
  });

  const child = spawn(command, [argument], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(example.replaceAll(LOCAL, url));
  const [printed] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(printed).toContain('A JPEG image of 960 x 640 pixels, 20,138 bytes');
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ 'transfer-encoding': 'chunked', 'content-type': 'image/jpeg' });
  expect(seen[0]).not.toHaveProperty('content-length');
});

/** Starts a proxy that forwards requests and records their headers. */
async function startRecordingProxy(target: string, seen: IncomingHttpHeaders[]): Promise<string> {
  const server = createServer((req, res) => {
    const { url, method, headers } = req;
    seen.push(headers);
    req.pipe(
      request(`${target}${url}`, { method, headers }, (answer) => {
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(res);
      }),
    );
  });
  const port = await listen(server, 0);
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${port}`;
}
