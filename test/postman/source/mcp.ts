import { jsonBody, type PostmanRequest } from './request.ts';

const TOOL = 'ask_about_image';
const HEADERS = { Accept: 'application/json, text/event-stream' };

/** Requests that an agent sends with the Model Context Protocol. Without sessions, each one is independent. */
export const mcp: PostmanRequest[] = [
  {
    name: 'The tools',
    about: 'There is one.',
    method: 'POST',
    path: 'mcp',
    headers: HEADERS,
    body: jsonBody({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    tests: `
pm.test('the one tool', () => {
  pm.response.to.have.status(200);
  pm.expect(pm.response.json().result.tools.map(({ name }) => name)).to.eql(['${TOOL}']);
});`,
  },
  {
    name: 'An image',
    about: 'Images are base64 or data URLs.',
    method: 'POST',
    path: 'mcp',
    headers: HEADERS,
    body: jsonBody({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: TOOL, arguments: { instructions: 'What is in this picture?', images: ['{{smallImage}}'] } },
    }),
    tests: `
pm.test('text', () => {
  pm.response.to.have.status(200);
  const { content, isError } = pm.response.json().result;
  pm.expect(isError).to.equal(undefined);
  pm.expect(content[0].text).to.match(/\\w/);
});`,
  },
  {
    name: 'Something that is not an image',
    about: 'A problem is an error of the tool, so that the agent can read what to do.',
    method: 'POST',
    path: 'mcp',
    headers: HEADERS,
    body: jsonBody({
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/call',
      params: { name: TOOL, arguments: { instructions: 'What is in this picture?', images: ['VGhpcyBpcyBhIHRleHQu'] } },
    }),
    tests: `
pm.test('the words of the problem', () => {
  pm.response.to.have.status(200);
  const { content, isError } = pm.response.json().result;
  pm.expect(isError).to.equal(true);
  pm.expect(content[0].text).to.match(/^unsupported_image_type: /);
});`,
  },
];
