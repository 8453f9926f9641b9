import { describePicture, UnreadablePicture } from './picture.ts';
import { answerSchema } from './schema-answer.ts';

/** What the emulated model is shown and asked. */
export interface Look {
  /** Data URLs or whatever else stands there, in order. */
  readonly images: readonly string[];
  readonly files: readonly string[];
  readonly question: string;
  /** A JSON Schema that the answer has to satisfy. */
  readonly schema: object | undefined;
  /** Whether the answer has to be a JSON object of any kind. */
  readonly isJson: boolean;
}

/** A tile of an image costs about so many tokens; the number only has to look like one. */
const TOKENS_PER_IMAGE = 765;

/**
 * The answer: a sentence of facts for each image and file, in order, and what was asked. With a schema, a JSON object
 * with those facts.
 */
export async function lookAt({ images, files, question, schema, isJson }: Look): Promise<string> {
  const pictures = await Promise.all(images.map(async (url) => describePicture(imageOf(url))));
  const seen = [...pictures, ...files.map(describeFile)];
  const facts = ['[emulated Azure]', ...(seen.length > 0 ? seen : ['There is no image.']), `You asked: "${question}"`];
  const text = facts.join(' ');
  if (schema) return JSON.stringify(answerSchema(schema, text));
  return isJson ? JSON.stringify({ answer: text }) : text;
}

/** What the prompt costs. */
export function promptTokens({ images, files, question }: Look): number {
  return Math.ceil(question.length / 4) + TOKENS_PER_IMAGE * (images.length + files.length);
}

function imageOf(url: string): Buffer {
  const comma = url.indexOf(',');
  if (!/^data:image\/(?:png|jpeg|webp|gif);base64$/.test(url.slice(0, comma))) {
    throw new UnreadablePicture('Only data URLs of PNG, JPEG, WEBP and GIF images are looked at here.');
  }
  return Buffer.from(url.slice(comma + 1), 'base64');
}

function describeFile(url: string): string {
  const [head = '', base64 = ''] = url.split(',', 2);
  const bytes = Buffer.from(base64, 'base64');
  if (head !== 'data:application/pdf;base64' || !bytes.includes('%PDF-')) {
    throw new UnreadablePicture('Only data URLs of PDF files are read here.');
  }
  return `A PDF file of ${bytes.length.toLocaleString('en-US')} bytes.`;
}
