import { z } from 'zod';
import type { TinyApp } from './tiny-app.ts';

const Notes = z.object({ addresses: z.array(z.string()), gone: z.array(z.string()), unread: z.array(z.string()) });

/**
 * What the trial app has noticed: the addresses it was reached at, the requests whose client was gone before the
 * answer, and those that were answered and then cut before they were read.
 */
export async function notesOf({ url }: TinyApp): Promise<z.infer<typeof Notes>> {
  return Notes.parse(await (await fetch(`${url}/v1/notes`)).json());
}

/** A function app that behaves in every way a host has to cope with. */
export const trialApp = `
import { app } from '@azure/functions';
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';

const addresses = [], gone = [], unread = [];
subscribe('http.server.request.start', ({ server, request, response }) => {
  addresses.push(server.address().address);
  const library = request.headers['x-forwarded-host'];
  request.socket.once('close', () => { if (library && !request.complete && response.writableFinished) unread.push(request.url); });
  if (library && request.url.endsWith('?severed')) setTimeout(() => response.socket.destroy(), 150);
  response.once('close', () => { if (library && !response.writableFinished) gone.push(request.url); });
});

app.setup({ enableHttpStream: true });
app.hook.appStart(() => console.log('hook: start'));
app.hook.appTerminate(async () => { await sleep(50); console.log('hook: terminate'); });
app.hook.preInvocation(({ invocationContext }) => { invocationContext.extraInputs.set('before', 'hooked'); });

app.get('hello', (req, context) => {
  context.log('hello from the handler');
  context.debug('too quiet to be shown');
  return { headers: { 'x-hooked': context.extraInputs.get('before') }, cookies: [{ name: 'a', value: '1' }, { name: 'b', value: '2' }], body: 'hello' };
});
app.get('seen', (req) => ({ jsonBody: { url: req.url, headers: Object.fromEntries(req.headers) } }));
app.http('same-a', { route: 'same', methods: ['GET'], handler: () => ({ body: 'a' }) });
app.http('same-b', { route: 'same', methods: ['GET', 'POST'], handler: () => ({ body: 'b' }) });
app.post('echo', (req) => ({ body: req.body }));
app.post('stalls', async () => { await sleep(3000); return { body: 'read nothing' }; });
app.post('refuse', () => ({ status: 413, jsonBody: { code: 'body_too_large' } }));
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
app.get('slow', async () => { await sleep(1000); return { body: 'done' }; });
app.get('notes', () => ({ jsonBody: { addresses, gone, unread } }));
`;
