import { fileBody, jsonBody, type PostmanRequest, textBody } from './request.ts';

const ASKED = { instructions: 'What is this?' };
const MOST_IMAGES = 10;

/** The most frequent problems of callers, each with its fix. */
export const problems: PostmanRequest[] = [
  problem('No instructions', 'Say what you want to know.', 400, 'missing_instructions', {
    body: fileBody('test/images/sailboat.jpg'),
  }),
  problem('An option that there is not', 'Every fault is told at once, with its field.', 400, 'invalid_request', {
    query: { ...ASKED, detail: 'huge', maxTokens: '0' },
    body: fileBody('test/images/sailboat.jpg'),
    also: `pm.expect(problem.errors.map(({ field }) => field)).to.eql(['detail', 'maxTokens']);`,
  }),
  problem('A schema in the query', 'It belongs in the body, as a part or a member.', 400, 'invalid_request', {
    query: { ...ASKED, schema: '{"type":"object"}' },
    body: fileBody('test/images/sailboat.jpg'),
    also: `pm.expect(problem.errors[0].field).to.equal('schema');`,
  }),
  problem('No image', 'In Postman, most often a file that was not chosen.', 400, 'empty_image', { query: ASKED }),
  problem('Not an image', 'The bytes decide, whatever the Content-Type says.', 415, 'unsupported_image_type', {
    query: ASKED,
    headers: { 'Content-Type': 'image/png' },
    body: textBody('Dear Sir or Madam, please find attached the photograph.'),
    also: `pm.expect(problem.supported).to.include('image/png');`,
  }),
  problem('JSON under another name', 'The Content-Type decides how a body is read.', 415, 'unsupported_image_type', {
    headers: { 'Content-Type': 'text/plain' },
    body: textBody('{"instructions": "What is this?", "images": ["{{smallImage}}"]}'),
    also: `pm.expect(problem.detail).to.include('Content-Type: application/json');`,
  }),
  problem('A blob elsewhere', 'Blobs are read from the containers in IMAGE_CONTAINERS only.', 403, 'blob_not_allowed', {
    query: { ...ASKED, blob: 'https://photos.blob.core.windows.net/private/a.png' },
  }),
  problem('A blob that there is not', 'Names are compared letter by letter.', 404, 'blob_not_found', {
    query: { ...ASKED, blob: '{{container}}/no-such-picture.jpg' },
  }),
  problem('A compressed body', 'Nothing is decompressed.', 415, 'unsupported_encoding', {
    query: ASKED,
    headers: { 'Content-Encoding': 'gzip' },
    body: fileBody('test/images/sailboat.jpg'),
    also: `pm.expect(problem.encoding).to.equal('gzip');`,
  }),
  problem('An animation', 'The model would see one frame only.', 415, 'animated_image', {
    query: ASKED,
    body: fileBody('test/images/sailboat-animated.gif'),
  }),
  problem('A damaged image', 'The right signature, and then nothing.', 422, 'corrupt_image', {
    body: jsonBody({ ...ASKED, images: ['iVBORw0KGgo='] }),
  }),
  problem('Too many images', 'Ask in several questions.', 400, 'too_many_images', {
    body: jsonBody({ ...ASKED, images: Array.from({ length: MOST_IMAGES + 1 }, () => '{{smallImage}}') }),
    also: `pm.expect(problem.limit).to.equal(${MOST_IMAGES});`,
  }),
  problem(
    'An image by address',
    'Nothing is fetched on behalf of a caller. Send the image itself.',
    400,
    'invalid_request',
    {
      body: jsonBody({ ...ASKED, images: ['https://example.com/sailboat.jpg'] }),
      also: `pm.expect(problem.errors[0].field).to.equal('images[0]');`,
    },
  ),
  problem('Broken JSON', 'Told before any call to the model.', 400, 'invalid_request', {
    headers: { 'Content-Type': 'application/json' },
    body: textBody('{"instructions": "What is this?", "images": ['),
  }),
  problem('A schema that is none', 'Told before any call to the model.', 400, 'invalid_request', {
    body: jsonBody({
      ...ASKED,
      images: ['{{smallImage}}'],
      schema: { type: 'object', properties: { boats: { type: 'number of boats' } } },
    }),
    also: `pm.expect(problem.errors[0].field).to.match(/^schema/);`,
  }),
  problem('A kind of answer that there is not', 'Accept allows none of the three.', 406, 'not_acceptable', {
    query: ASKED,
    headers: { Accept: 'text/html' },
    body: fileBody('test/images/sailboat.jpg'),
    also: `pm.expect(problem.supported).to.eql(['text/plain', 'application/json', 'text/event-stream']);`,
  }),
  {
    name: "The same in OpenAI's shape",
    about: "Clients of OpenAI read their own error format, so /chat/completions answers in it, with this app's codes.",
    method: 'POST',
    path: 'chat/completions',
    body: jsonBody({
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/sailboat.jpg' } }] },
      ],
    }),
    tests: `
pm.test('400 invalid_request', () => {
  pm.response.to.have.status(400);
  const { type, code, message } = pm.response.json().error;
  pm.expect(type).to.equal('invalid_request_error');
  pm.expect(code).to.equal('invalid_request');
  pm.expect(message).to.match(/data URL/);
});`,
  },
];

function problem(
  name: string,
  about: string,
  status: number,
  code: string,
  { also = '', ...request }: Pick<PostmanRequest, 'query' | 'headers' | 'body'> & { readonly also?: string },
): PostmanRequest {
  const tests = `
pm.test('${status} ${code}', () => {
  pm.response.to.have.status(${status});
  const problem = pm.response.json();
  pm.expect(problem.code).to.equal('${code}');
  pm.expect(problem.detail).to.match(/\\w/);
  pm.expect(problem.requestId).to.equal(pm.response.headers.get('x-request-id'));${also && `\n  ${also}`}
});`;
  return { name, about, method: 'POST', path: 'processImage', ...request, tests };
}
