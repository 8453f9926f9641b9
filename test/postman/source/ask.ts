import { fileBody, formBody, jsonBody, type PostmanRequest } from './request.ts';

const LARGE = 'test/images/sailboat.jpg';
const HEIC = 'test/images/sailboat.heic';
const SMALL = 'test/images/sailboat-small.webp';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const BLOB = '{{container}}/sailboat.jpg';
const SCHEMA = {
  type: 'object',
  properties: { description: { type: 'string' }, boats: { type: 'integer' } },
  required: ['description', 'boats'],
  additionalProperties: false,
};

const isText = `
pm.test('text, and nothing else', () => {
  pm.response.to.have.status(200);
  pm.expect(pm.response.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
  pm.expect(pm.response.text()).to.match(/\\w/);
});`;

const isAnswer = `
pm.test('the answer, with what it cost and what was seen', () => {
  pm.response.to.have.status(200);
  const { answer, finishReason, usage, requestId } = pm.response.json();
  pm.expect(answer).to.match(/\\w/);
  pm.expect(finishReason).to.be.a('string');
  pm.expect(usage.totalTokens).to.equal(usage.inputTokens + usage.outputTokens);
  pm.expect(requestId).to.equal(pm.response.headers.get('x-request-id'));
});`;

const sawSailboat = `
pm.test('the image that was sent', () => {
  pm.expect(pm.response.json().images).to.eql([{ type: 'image/jpeg', width: 960, height: 640, bytes: 20138 }]);
});`;

const sawBoth = `
pm.test('both images, in the order sent', () => {
  const { images } = pm.response.json();
  pm.expect(images.map(({ type, width }) => [type, width])).to.eql([['image/jpeg', 960], ['image/webp', 96]]);
});`;

/** Each way to send images, and each kind of answer. */
export const ask: PostmanRequest[] = [
  {
    name: 'An image as the body, text back',
    about:
      'The bytes of one image are the body; the question stands in the query. ' +
      'The Content-Type is not believed, so it may be any.',
    method: 'POST',
    path: 'processImage',
    query: { instructions: 'What is in this picture?' },
    body: fileBody(LARGE),
    tests: isText,
  },
  {
    name: 'An image as the body, JSON back',
    about: 'Accept chooses the kind of answer. `detail` and `maxTokens` bound what it costs.',
    method: 'POST',
    path: 'processImage',
    query: { instructions: 'What is in this picture?', detail: 'low', maxTokens: '500' },
    headers: { Accept: 'application/json' },
    body: fileBody(LARGE),
    tests: isAnswer + sawSailboat,
  },
  {
    name: 'A photo as an iPhone takes it',
    about: 'HEIC, AVIF and TIFF become JPEG, or PNG if they are transparent; `images` says what the model was sent.',
    method: 'POST',
    path: 'processImage',
    query: { instructions: 'What is in this picture?' },
    headers: { Accept: 'application/json' },
    body: fileBody(HEIC),
    tests: `${isAnswer}
pm.test('a JPEG was sent', () => {
  const [{ type, width, height }] = pm.response.json().images;
  pm.expect([type, width, height]).to.eql(['image/jpeg', 256, 192]);
});`,
  },
  {
    name: 'A form with two images',
    about: 'One part called `image` for each, and the question as a part.',
    method: 'POST',
    path: 'processImage',
    headers: { Accept: 'application/json' },
    body: formBody({ instructions: 'In what do these two differ?' }, [LARGE, SMALL]),
    tests: isAnswer + sawBoth,
  },
  {
    name: 'JSON with base64',
    about: 'What Logic Apps and Power Automate send: images as data URLs or as bare base64.',
    method: 'POST',
    path: 'processImage',
    headers: { ...JSON_TYPE, Accept: 'application/json' },
    body: jsonBody({
      instructions: 'Are these the same?',
      images: ['data:image/webp;base64,{{smallImage}}', '{{smallImage}}'],
    }),
    tests: `${isAnswer}
pm.test('both images', () => {
  pm.expect(pm.response.json().images).to.have.lengthOf(2);
});`,
  },
  {
    name: 'A blob in JSON',
    about:
      'The app reads it with its own identity. ' +
      'Set `container` in the environment, and put test/images/sailboat.jpg there.',
    method: 'POST',
    path: 'processImage',
    headers: { ...JSON_TYPE, Accept: 'application/json' },
    body: jsonBody({ instructions: 'Are these the same?', images: [{ blob: BLOB }, '{{smallImage}}'] }),
    tests: isAnswer + sawBoth,
  },
  {
    name: 'A blob in the query',
    about: 'The body is empty. `blob` may be repeated.',
    method: 'POST',
    path: 'processImage',
    query: { instructions: 'What is in this picture?', blob: BLOB },
    headers: { Accept: 'application/json' },
    tests: isAnswer + sawSailboat,
  },
  {
    name: 'A stream of events',
    about: 'Words as the model has them, then `done` with the whole answer, or `error`.',
    method: 'POST',
    path: 'processImage',
    query: { instructions: 'Describe this picture.' },
    headers: { Accept: 'text/event-stream' },
    body: fileBody(LARGE),
    tests: `
pm.test('words, then the whole', () => {
  pm.response.to.have.status(200);
  pm.expect(pm.response.headers.get('content-type')).to.match(/^text\\/event-stream/);
  const blocks = pm.response.text().split('\\n\\n').filter((block) => block.startsWith('event: '));
  const events = blocks.map((block) => ({ name: /^event: (.*)$/m.exec(block)[1], data: JSON.parse(/^data: (.*)$/m.exec(block)[1]) }));
  const words = events.filter(({ name }) => name === 'delta').map(({ data }) => data.text);
  const { name, data } = events[events.length - 1];
  pm.expect(name).to.equal('done');
  pm.expect(words.length).to.be.above(1);
  pm.expect(words.join('')).to.equal(data.answer);
});`,
  },
  {
    name: 'Fields instead of prose',
    about: 'With a `schema`, the answer is an object that satisfies it, in `data`.',
    method: 'POST',
    path: 'processImage',
    headers: { ...JSON_TYPE, Accept: 'application/json' },
    body: jsonBody({ instructions: 'Describe it and count the boats.', images: ['{{smallImage}}'], schema: SCHEMA }),
    tests: `${isAnswer}
pm.test('data that satisfies the schema', () => {
  const { data, answer } = pm.response.json();
  pm.expect(data).to.have.all.keys('description', 'boats');
  pm.expect(data.boats % 1).to.equal(0);
  pm.expect(JSON.parse(answer)).to.eql(data);
});`,
  },
];
