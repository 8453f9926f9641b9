import { describePicture, UnreadablePicture } from './picture.ts';
import { answerSchema } from './schema-answer.ts';

/** What the emulated model gets: images, files and a question. */
export interface Prompt {
  /** The images in their order. They should be data URLs, but are not checked yet. */
  readonly images: readonly string[];
  readonly files: readonly string[];
  readonly question: string;
  /** A JSON Schema that the answer must satisfy. */
  readonly schema: object | undefined;
  /** Whether the answer must be a JSON object, of any kind. */
  readonly isJson: boolean;
}

/** Tokens for an image. The number only has to be plausible. */
const TOKENS_PER_IMAGE = 765;

/**
 * Makes the answer: facts about each image and file, in their order, and then the question. With a schema, it is a JSON
 * object with this text.
 * @throws {UnreadablePicture} if an image or a file cannot be read
 */
export async function answerTo({ images, files, question, schema, isJson }: Prompt): Promise<string> {
  const pictures = await Promise.all(images.map(async (url) => describePicture(imageOf(url))));
  const seen = [...pictures, ...files.map(describeFile)];
  const facts = ['[emulated Azure]', ...(seen.length > 0 ? seen : ['There is no image.']), `You asked: "${question}"`];
  const text = facts.join(' ');
  if (schema) return JSON.stringify(answerSchema(schema, text));
  return isJson ? JSON.stringify({ answer: text }) : text;
}

/** Returns the prompt's number of tokens. */
export function promptTokens({ images, files, question }: Prompt): number {
  return Math.ceil(question.length / 4) + TOKENS_PER_IMAGE * (images.length + files.length);
}

function imageOf(url: string): Buffer {
  const comma = url.indexOf(',');
  if (!/^data:image\/(?:png|jpeg|webp|gif);base64$/.test(url.slice(0, comma))) {
    throw new UnreadablePicture('Only data URLs of PNG, JPEG, WEBP and GIF images are supported here.');
  }
  return Buffer.from(url.slice(comma + 1), 'base64');
}

function describeFile(url: string): string {
  const [head = '', base64 = ''] = url.split(',', 2);
  const bytes = Buffer.from(base64, 'base64');
  if (head !== 'data:application/pdf;base64' || !bytes.includes('%PDF-')) {
    throw new UnreadablePicture('Only data URLs of PDF files are supported here.');
  }
  return `A PDF file of ${bytes.length.toLocaleString('en-US')} bytes.`;
}
