import { jsonBody, type PostmanRequest } from './request.ts';

const isCompletion = `
pm.test("a chat completion, as OpenAI's own", () => {
  pm.response.to.have.status(200);
  const { object, choices } = pm.response.json();
  pm.expect(object).to.equal('chat.completion');
  pm.expect(choices[0].message.content).to.match(/\\w/);
});`;

const withImage = {
  role: 'user',
  content: [
    { type: 'text', text: 'What is in this picture?' },
    { type: 'image_url', image_url: { url: 'data:image/webp;base64,{{smallImage}}' } },
  ],
};

/** Requests in OpenAI's formats. OpenAI's clients send them if their base URL is `{{baseUrl}}/api`. */
export const chat: PostmanRequest[] = [
  {
    name: 'Words only',
    about: 'The `model` is replaced by the deployment of this app.',
    method: 'POST',
    path: 'chat/completions',
    body: jsonBody({ model: 'any', messages: [{ role: 'user', content: 'Say hello.' }] }),
    tests: isCompletion,
  },
  {
    name: 'An image as a data URL',
    about: 'It passes the same checks as the images of processImage.',
    method: 'POST',
    path: 'chat/completions',
    body: jsonBody({ model: 'any', messages: [withImage] }),
    tests: isCompletion,
  },
  {
    name: 'A conversation, as a stream',
    about: 'Chunks as the model has them, then `[DONE]`.',
    method: 'POST',
    path: 'chat/completions',
    body: jsonBody({
      model: 'any',
      messages: [
        withImage,
        { role: 'assistant', content: 'A sailing boat.' },
        { role: 'user', content: 'What colour are its sails?' },
      ],
      stream: true,
    }),
    tests: `
pm.test('chunks, then [DONE]', () => {
  pm.response.to.have.status(200);
  const lines = pm.response.text().split('\\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  pm.expect(lines.pop()).to.equal('[DONE]');
  const words = lines.map((line) => JSON.parse(line)).map(({ choices: [choice] }) => (choice && choice.delta.content) || '');
  pm.expect(words.join('')).to.match(/\\w/);
});`,
  },
  {
    name: 'Responses',
    about: 'The newer of the two formats. It is stored nowhere, whatever `store` says.',
    method: 'POST',
    path: 'responses',
    body: jsonBody({
      model: 'any',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is in this picture?' },
            { type: 'input_image', image_url: 'data:image/webp;base64,{{smallImage}}' },
          ],
        },
      ],
    }),
    tests: `
pm.test("a response, as OpenAI's own", () => {
  pm.response.to.have.status(200);
  const { object, output } = pm.response.json();
  pm.expect(object).to.equal('response');
  pm.expect(output.find(({ type }) => type === 'message').content[0].text).to.match(/\\w/);
});`,
  },
  {
    name: 'Models',
    about: 'The deployment, which answers whatever model a request names.',
    method: 'GET',
    path: 'models',
    tests: `
pm.test('one model', () => {
  pm.response.to.have.status(200);
  const { object, data } = pm.response.json();
  pm.expect([object, data.length]).to.eql(['list', 1]);
});`,
  },
];
