/** The minimum work of any app on `@azure/functions`: read the body, and send a request that was made beforehand. */
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { askReadyMade } from './ask-ready-made.ts';

app.setup({ enableHttpStream: true });
app.http('processImage', { methods: ['POST'], authLevel: 'anonymous', handler: processImage });

async function processImage(request: HttpRequest): Promise<HttpResponseInit> {
  const image = Buffer.concat(await Array.fromAsync(request.body ?? []));
  const answer = await askReadyMade(image.length);
  return answer === undefined ? { status: 500 } : { body: answer };
}
