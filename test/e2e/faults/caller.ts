import { expect } from 'vitest';
import { still, stillOfSize } from '../../images/still.ts';
import { wrongFiles } from '../../images/wrong.ts';
import type { Expected, Fault } from './fault.ts';
import { MAX_BODY_BYTES, MAX_IMAGE_BYTES } from './pairs.ts';
import {
  afterContinue,
  announced,
  chunked,
  lastBytesLate,
  leavingBetweenAttempts,
  leavingMidAnswer,
  leavingMidBody,
  leavingMidCall,
  slowly,
  stalled,
  trickled,
} from './send.ts';
import type { Question, Sent, Way } from './way.ts';
import { SERVED_BY } from '../app.ts';

const image = await still('image/png', 16, 16);
const truncated = image.subarray(0, image.length - 20);
const tooLarge = await stillOfSize('image/jpeg', MAX_IMAGE_BYTES + 1);
/** Three quarters of the size limit of an image, and enough of them to exceed that of a body, in base64 or not. */
const large = await stillOfSize('image/jpeg', MAX_IMAGE_BYTES * 0.75);
const tooMuch = Array.from({ length: Math.ceil(MAX_BODY_BYTES / large.length) + 1 }, () => large);

const toProcessImage = ({ body }: Way): boolean => body !== 'chat';
const inOnePiece = (way: Way): boolean => toProcessImage(way) && !way.stream;
const withFields = ({ body }: Way): boolean => body === 'multipart' || body === 'JSON';
const withManyImages = ({ body }: Way): boolean => body !== 'raw';
const inJson = ({ body }: Way): boolean => body === 'JSON' || body === 'chat';

const refused = (status: number, code: string, problem: Expected['problem'] = {}): Expected => ({
  status,
  code,
  calls: 0,
  problem,
});
const invalid = (field: string): Expected =>
  refused(400, 'invalid_request', { errors: [expect.objectContaining({ field })] });
/** For a slow body, the Functions host answers 500 without a body (seen on 4.1037), the server 408 at the deadline. */
const tooSlow: Expected =
  SERVED_BY === 'server' ? refused(408, 'request_timeout') : { status: 500, code: 'none', calls: 0 };
const answered: Expected = { status: 200, code: 'answer', calls: 1 };
const disconnected = (calls: number): Expected => ({ status: 0, code: 'none', calls });

const withField =
  (name: string, value: unknown) =>
  ({ images, fields }: Question): Question => ({ images, fields: { ...fields, [name]: value } });
const withImages =
  (...images: Buffer[]) =>
  ({ fields }: Question): Question => ({ images, fields });
const withBase64 =
  (base64: string) =>
  (sent: Sent): Sent =>
    replaced(sent, /data:image\/png;base64,[^"]*/, base64);

const question: readonly Fault[] = [
  {
    name: 'no instructions',
    happensTo: toProcessImage,
    ask: ({ images }) => ({ images, fields: {} }),
    expected: refused(400, 'missing_instructions'),
  },
  {
    name: 'blank instructions',
    happensTo: toProcessImage,
    ask: withField('instructions', ' \n'),
    expected: refused(400, 'missing_instructions'),
  },
  {
    name: 'instructions that are too long',
    happensTo: toProcessImage,
    ask: withField('instructions', 'x'.repeat(4_001)),
    expected: invalid('instructions'),
  },
  {
    name: 'an unknown detail',
    happensTo: toProcessImage,
    ask: withField('detail', 'huge'),
    expected: invalid('detail'),
  },
  {
    name: 'maxTokens of 0',
    happensTo: toProcessImage,
    ask: withField('maxTokens', 0),
    expected: invalid('maxTokens'),
  },
  {
    name: 'maxTokens above the limit',
    happensTo: toProcessImage,
    ask: withField('maxTokens', 4_097),
    expected: invalid('maxTokens'),
  },
  {
    name: 'maxTokens that is not a number',
    happensTo: toProcessImage,
    ask: withField('maxTokens', 'many'),
    expected: invalid('maxTokens'),
  },
  {
    name: 'an unknown field',
    happensTo: withFields,
    ask: withField('question', 'x'),
    expected: invalid('question'),
  },
  {
    name: 'an invalid schema',
    happensTo: withFields,
    ask: withField('schema', { type: 'object', properties: { a: { type: 'strnig' } } }),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'an Accept header without a known type',
    happensTo: inOnePiece,
    alter: (sent) => ({ ...sent, headers: { ...sent.headers, accept: 'text/html' } }),
    expected: refused(406, 'not_acceptable'),
  },
];

const images: readonly Fault[] = [
  ...(await wrongFiles()).map(({ name, bytes, status, code }): Fault => ({
    name: `an unusable image: ${name}`,
    ask: withImages(bytes),
    expected: refused(status, code),
  })),
  { name: 'no image', happensTo: withFields, ask: withImages(), expected: refused(400, 'empty_image') },
  {
    name: 'a truncated image after a complete one',
    happensTo: withManyImages,
    ask: withImages(image, truncated),
    expected: (way) => refused(422, 'corrupt_image', way.body === 'chat' ? {} : { image: 2 }),
  },
  {
    name: 'eleven images',
    happensTo: withManyImages,
    ask: withImages(...Array.from({ length: 11 }, () => image)),
    expected: refused(400, 'too_many_images', { limit: 10 }),
  },
  {
    name: 'an image over the size limit',
    ask: withImages(tooLarge),
    expected: refused(413, 'image_too_large', { limit: MAX_IMAGE_BYTES }),
  },
  {
    name: 'a body over the size limit',
    happensTo: withManyImages,
    ask: withImages(...tooMuch),
    expected: refused(413, 'body_too_large', { limit: MAX_BODY_BYTES }),
  },
  {
    name: 'an image given as an https URL',
    happensTo: inJson,
    alter: withBase64('https://example.com/cat.png'),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'an image that is not valid base64',
    happensTo: inJson,
    alter: withBase64('data:image/png;base64,not*base64'),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'an image with nothing but base64 padding',
    happensTo: inJson,
    alter: withBase64('data:image/png;base64,='),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'an empty data URL',
    happensTo: inJson,
    alter: withBase64('data:image/png;base64,'),
    expected: refused(400, 'empty_image'),
  },
  {
    name: 'a truncated body',
    happensTo: withManyImages,
    alter: (sent) => ({ ...sent, body: sent.body.subarray(0, -4) }),
    expected: refused(400, 'invalid_request'),
  },
];

const delivery: readonly Fault[] = [
  { name: 'a chunked body', send: chunked, expected: answered },
  { name: 'a body whose last bytes are late', send: lastBytesLate, expected: answered },
  { name: 'a body that waits for 100 Continue', send: afterContinue, expected: answered },
  {
    name: 'a chunked image over the size limit',
    ask: withImages(tooLarge),
    send: chunked,
    expected: refused(413, 'image_too_large'),
  },
  {
    name: 'a body that ends after the deadline',
    send: slowly,
    expected: refused(408, 'request_timeout'),
  },
  { name: 'a body that arrives byte by byte', send: trickled, expected: tooSlow },
  { name: 'a body that stops halfway', send: stalled, expected: tooSlow },
  { name: 'a body that is announced but not sent', send: announced, expected: tooSlow },
  { name: 'client disconnects during the body', send: leavingMidBody, expected: disconnected(0) },
  {
    name: 'client disconnects during the model call',
    before: ({ azure }) => azure.model.fail({ silent: true }),
    send: leavingMidCall,
    expected: disconnected(1),
  },
  { name: 'client disconnects before the retry', send: leavingBetweenAttempts, expected: disconnected(1) },
  {
    name: 'client disconnects during the answer',
    happensTo: ({ stream }) => stream,
    before: ({ azure }) => azure.model.fail({ wordDelayMs: 100 }),
    send: leavingMidAnswer,
    expected: disconnected(1),
  },
];

/** Faults of the caller. */
export const callerFaults: readonly Fault[] = [...question, ...images, ...delivery];

function replaced(sent: Sent, what: RegExp, by: string): Sent {
  return { ...sent, body: Buffer.from(sent.body.toString().replace(what, by)) };
}
