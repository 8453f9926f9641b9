/** An app with the same function and no library but `@azure/functions`. It reads the body and calls no upstream. */
import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });
app.http('processImage', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => ({ body: String((await request.arrayBuffer()).byteLength) }),
});
