/** An app that registers the same function, with all other libraries left out: it reads the body and answers by itself. */
import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });
app.http('processImage', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => ({ body: String((await request.arrayBuffer()).byteLength) }),
});
