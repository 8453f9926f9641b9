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
const cut = image.subarray(0, image.length - 20);
const tooLarge = await stillOfSize('image/jpeg', MAX_IMAGE_BYTES + 1);
/** Three quarters of what an image may have; as many of them as are more than a body may have, in base64 or not. */
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
/** The Functions host ends a body that is too slow itself, without a body (seen on 4.1037); the server, by the deadline. */
const tooSlow: Expected =
  SERVED_BY === 'server' ? refused(408, 'request_timeout') : { status: 500, code: 'none', calls: 0 };
const answered: Expected = { status: 200, code: 'answer', calls: 1 };
const gone = (calls: number): Expected => ({ status: 0, code: 'none', calls });

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
    name: 'instructions without an end',
    happensTo: toProcessImage,
    ask: withField('instructions', 'x'.repeat(4_001)),
    expected: invalid('instructions'),
  },
  {
    name: 'a detail that there is not',
    happensTo: toProcessImage,
    ask: withField('detail', 'huge'),
    expected: invalid('detail'),
  },
  {
    name: 'no tokens at all',
    happensTo: toProcessImage,
    ask: withField('maxTokens', 0),
    expected: invalid('maxTokens'),
  },
  {
    name: 'more tokens than are granted',
    happensTo: toProcessImage,
    ask: withField('maxTokens', 4_097),
    expected: invalid('maxTokens'),
  },
  {
    name: 'tokens in words',
    happensTo: toProcessImage,
    ask: withField('maxTokens', 'many'),
    expected: invalid('maxTokens'),
  },
  {
    name: 'a field that there is not',
    happensTo: withFields,
    ask: withField('question', 'x'),
    expected: invalid('question'),
  },
  {
    name: 'a schema that is none',
    happensTo: withFields,
    ask: withField('schema', { type: 'object', properties: { a: { type: 'strnig' } } }),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'no kind of answer is acceptable',
    happensTo: inOnePiece,
    alter: (sent) => ({ ...sent, headers: { ...sent.headers, accept: 'text/html' } }),
    expected: refused(406, 'not_acceptable'),
  },
];

const images: readonly Fault[] = [
  ...(await wrongFiles()).map(({ name, bytes, status, code }): Fault => ({
    name: `an image that is none: ${name}`,
    ask: withImages(bytes),
    expected: refused(status, code),
  })),
  { name: 'no image', happensTo: withFields, ask: withImages(), expected: refused(400, 'empty_image') },
  {
    name: 'an image cut off behind a whole one',
    happensTo: withManyImages,
    ask: withImages(image, cut),
    expected: (way) => refused(422, 'corrupt_image', way.body === 'chat' ? {} : { image: 2 }),
  },
  {
    name: 'eleven images',
    happensTo: withManyImages,
    ask: withImages(...Array.from({ length: 11 }, () => image)),
    expected: refused(400, 'too_many_images', { limit: 10 }),
  },
  {
    name: 'an image over its limit',
    ask: withImages(tooLarge),
    expected: refused(413, 'image_too_large', { limit: MAX_IMAGE_BYTES }),
  },
  {
    name: 'a body over its limit',
    happensTo: withManyImages,
    ask: withImages(...tooMuch),
    expected: refused(413, 'body_too_large', { limit: MAX_BODY_BYTES }),
  },
  {
    name: 'an image by address',
    happensTo: inJson,
    alter: withBase64('https://example.com/cat.png'),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'an image that is no base64',
    happensTo: inJson,
    alter: withBase64('data:image/png;base64,not*base64'),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'an image that is nothing but padding',
    happensTo: inJson,
    alter: withBase64('data:image/png;base64,='),
    expected: refused(400, 'invalid_request'),
  },
  {
    name: 'a data URL of nothing',
    happensTo: inJson,
    alter: withBase64('data:image/png;base64,'),
    expected: refused(400, 'empty_image'),
  },
  {
    name: 'a document that is cut off',
    happensTo: withManyImages,
    alter: (sent) => ({ ...sent, body: sent.body.subarray(0, -4) }),
    expected: refused(400, 'invalid_request'),
  },
];

const delivery: readonly Fault[] = [
  { name: 'a body of unknown length', send: chunked, expected: answered },
  { name: 'a body whose last bytes are late', send: lastBytesLate, expected: answered },
  { name: 'a body that waits to be wanted', send: afterContinue, expected: answered },
  {
    name: 'an image over its limit, in a body of unknown length',
    ask: withImages(tooLarge),
    send: chunked,
    expected: refused(413, 'image_too_large'),
  },
  {
    name: 'a body that takes longer than the deadline',
    send: slowly,
    expected: refused(408, 'request_timeout'),
  },
  { name: 'a body that trickles', send: trickled, expected: tooSlow },
  { name: 'a body that stalls', send: stalled, expected: tooSlow },
  { name: 'a body that never comes', send: announced, expected: tooSlow },
  { name: 'a caller who leaves before all is sent', send: leavingMidBody, expected: gone(0) },
  {
    name: 'a caller who leaves while the model thinks',
    before: ({ azure }) => azure.model.fail({ silent: true }),
    send: leavingMidCall,
    expected: gone(1),
  },
  { name: 'a caller who leaves between two attempts', send: leavingBetweenAttempts, expected: gone(1) },
  {
    name: 'a caller who leaves inside the answer',
    happensTo: ({ stream }) => stream,
    before: ({ azure }) => azure.model.fail({ wordDelayMs: 100 }),
    send: leavingMidAnswer,
    expected: gone(1),
  },
];

/** Faults of who asks. */
export const callerFaults: readonly Fault[] = [...question, ...images, ...delivery];

function replaced(sent: Sent, what: RegExp, by: string): Sent {
  return { ...sent, body: Buffer.from(sent.body.toString().replace(what, by)) };
}
