import { type ChatRequest, imagesOf, lastQuestion } from './chat-request.ts';
import { describePicture, UnreadablePicture } from './picture.ts';
import { answerSchema } from './schema-answer.ts';

/**
 * The answer to a request: a sentence of facts for each image, in order, and what was asked. With a schema, a JSON
 * object with those facts.
 */
export async function lookAt(request: ChatRequest): Promise<string> {
  const pictures = await Promise.all(imagesOf(request).map(async (url) => describePicture(bytesOf(url))));
  const seen = pictures.length > 0 ? pictures : ['There is no image.'];
  const facts = ['[emulated Azure]', ...seen, `You asked: "${lastQuestion(request)}"`].join(' ');

  const schema = request.response_format?.json_schema?.schema;
  return schema === undefined ? facts : JSON.stringify(answerSchema(schema, facts));
}

function bytesOf(url: string): Buffer {
  const comma = url.indexOf(',');
  if (!/^data:image\/(?:png|jpeg|webp|gif);base64$/.test(url.slice(0, comma))) {
    throw new UnreadablePicture('Only data URLs of PNG, JPEG, WEBP and GIF images are looked at here.');
  }
  return Buffer.from(url.slice(comma + 1), 'base64');
}
