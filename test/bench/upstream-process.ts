/**
 * The upstream that all sides call, in a process of its own: a model's endpoint that reads the body and answers at once
 * with its size in bytes, and an identity endpoint that issues signed tokens. A deployment `slow-2000` takes 2,000 ms.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityPath } from '../../src/dev/emulator/identity-endpoint.ts';
import { startAuthority } from '../../src/dev/emulator/tokens.ts';
import { listen } from '../../src/dev/start/listen.ts';

const KEEP_ALIVE_MS = 75_000;
const TOKEN_SECONDS = 24 * 60 * 60;

const authority = await startAuthority(TOKEN_SECONDS);
// Signed only once, so that a side that gets a token for each request does not wait for the signature, too.
const { token, expiresAt } = await authority.issue('https://cognitiveservices.azure.com');
const identity = JSON.stringify({
  access_token: token,
  expires_on: String(expiresAt),
  resource: 'https://cognitiveservices.azure.com',
  token_type: 'Bearer',
});

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
  if (req.url?.startsWith(identityPath)) send(res, 200, identity);
  else void answerModelCall(req, res);
});
const port = await listen(server, 0);
process.on('disconnect', () => process.exit());
process.send?.({ origin: `http://127.0.0.1:${port}` });

async function answerModelCall(req: IncomingMessage, res: ServerResponse): Promise<void> {
  let bytes = 0;
  req.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => req.once('close', resolve));
  if (!req.headers.authorization?.startsWith('Bearer '))
    return send(res, 401, '{"error":{"code":"401","message":"no token"}}');
  const slow = /\/deployments\/slow-(\d+)\//.exec(req.url ?? '');
  // No sleep(0) otherwise: a timer takes at least 1 ms, which would hide differences between the sides.
  if (slow) await sleep(Number(slow[1]));
  send(res, 200, (req.url?.includes('/responses') ? response : completion)(String(bytes)));
}

function response(text: string): string {
  const message = { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text }] };
  return JSON.stringify({ id: 'resp_1', object: 'response', status: 'completed', model: 'vision', output: [message] });
}

function completion(content: string): string {
  const choice = {
    index: 0,
    message: { role: 'assistant', content, refusal: null },
    finish_reason: 'stop',
    logprobs: null,
  };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'vision',
    choices: [choice],
    usage,
  });
}

function send(res: ServerResponse, status: number, json: string): void {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }).end(json);
}
