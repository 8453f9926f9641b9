import * as v from 'valibot';
import type { TinyApp } from './tiny-app.ts';

const Notes = v.object({ addresses: v.array(v.string()), disconnected: v.array(v.string()) });

/** Gets what the trial app recorded: the addresses of its servers, and the requests whose client disconnected early. */
export async function notesOf({ url }: TinyApp): Promise<v.InferOutput<typeof Notes>> {
  return v.parse(Notes, await (await fetch(`${url}/v1/notes`)).json());
}

/** A function app with each kind of function that a host must handle: correct, slow, endless and failing ones. */
export const trialApp = `
import { app } from '@azure/functions';
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';

// Without this, the library's server rejects headers over 16 KB, and the host's own limit is never reached.
subscribe('tracing:net.server.listen:asyncStart', ({ server }) => { server.maxHeaderSize ??= 64 * 1024; });

const addresses = [], disconnected = [];
subscribe('http.server.request.start', ({ server, request, response }) => {
  addresses.push(server.address().address);
  const library = request.headers['x-forwarded-host'];
  if (library && request.url.endsWith('?severed')) setTimeout(() => response.socket.destroy(), 150);
  response.once('close', () => { if (library && !response.writableFinished) disconnected.push(request.url); });
});

app.setup({ enableHttpStream: true });
app.hook.appStart(() => console.log('hook: start'));
app.hook.appTerminate(async () => { await sleep(50); console.log('hook: terminate'); });
app.hook.preInvocation(({ invocationContext }) => { invocationContext.extraInputs.set('before', 'hooked'); });

app.get('hello', (req, context) => {
  context.log('hello from the handler');
  context.debug('too quiet to be shown');
  return {
    headers: { 'x-hooked': context.extraInputs.get('before') },
    cookies: [{ name: 'a', value: '1' }, { name: 'b', value: '2' }],
    body: 'hello',
  };
});
app.get('seen', (req) => ({ jsonBody: { url: req.url, headers: Object.fromEntries(req.headers) } }));
app.http('same-a', { route: 'same', methods: ['GET'], handler: () => ({ body: 'a' }) });
app.http('same-b', { route: 'same', methods: ['GET', 'POST'], handler: () => ({ body: 'b' }) });
const params = (req) => ({ jsonBody: { params: req.params } });
app.http('model', { route: 'models/{id?}', methods: ['GET'], handler: params });
app.http('versioned', { route: '{prefix:regex(^(v1|openai/?|a{{2}})$)}/chat', methods: ['GET'], handler: params });
app.http('deployment', { route: 'deployments/{name}/chat', methods: ['GET', 'POST'], handler: params });
app.http('guarded', { authLevel: 'function', methods: ['GET', 'POST'], handler: () => ({ body: 'let in' }) });
app.post('echo', (req) => ({ body: req.body }));
app.post('stalls', async () => { await sleep(3000); return { body: 'read nothing' }; });
app.post('refuse', (req) => {
  // Answers at once, but reads the rest. Otherwise the library's server stops reading the request.
  void (async () => { for await (const piece of req.body ?? []); })().catch(() => {});
  return { status: 413, jsonBody: { code: 'body_too_large' } };
});
app.get('throws', () => { throw new Error('thrown on purpose'); });
app.get('nothing', () => {});
app.get('breaks', () => ({ body: new ReadableStream({ async pull(controller) {
  controller.enqueue(new TextEncoder().encode('half'));
  await sleep(100);
  controller.error(new Error('broken on purpose'));
} }) }));
let pulled = 0;
app.get('endless', () => ({ body: new ReadableStream({ async pull(controller) {
  controller.enqueue(new TextEncoder().encode('data: ' + pulled++ + '\\n\\n'));
  await sleep(20);
} }) }));
app.get('slow', async (req, context) => {
  context.log('slow begins');
  await sleep(req.query.has('disconnects') ? 20_000 : 1000);
  return { body: 'done' };
});
app.get('notes', () => ({ jsonBody: { addresses, disconnected } }));
`;
