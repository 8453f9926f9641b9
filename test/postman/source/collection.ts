import { readFileSync } from 'node:fs';
import { ask } from './ask.ts';
import { chat } from './chat.ts';
import { jobs } from './jobs.ts';
import { mcp } from './mcp.ts';
import { problems } from './problems.ts';
import { type PostmanRequest, toItem, toScript } from './request.ts';
import { watch } from './watch.ts';

const smallImage = readFileSync(new URL('../../images/sailboat-small.webp', import.meta.url)).toString('base64');

const everyAnswer = `
pm.test('has a request id, and is kept nowhere on the way', () => {
  pm.expect(pm.response.headers.get('x-request-id')).to.match(/\\w/);
  pm.expect(pm.response.headers.get('cache-control')).to.equal('no-store');
});
if (pm.request.method === 'POST') {
  pm.test('says what took how long', () => {
    pm.expect(pm.response.headers.get('server-timing')).to.match(/total;dur=/);
  });
}`;

/** The collection, in Postman's format 2.1. */
export const collection = {
  info: {
    name: 'Keyless Vision',
    description:
      'Each way to ask, each kind of answer, and the common problems, with tests. ' +
      'Choose the environment `local` for `npm start`, or `azure`, ' +
      'and set Working directory (Settings, General) to the folder of the repository, for the image files.',
    schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
  },
  auth: {
    type: 'apikey',
    apikey: [
      { key: 'key', value: 'x-functions-key', type: 'string' },
      { key: 'value', value: '{{functionKey}}', type: 'string' },
      { key: 'in', value: 'header', type: 'string' },
    ],
  },
  variable: [{ key: 'smallImage', value: smallImage, type: 'string' }],
  event: [{ listen: 'test', script: toScript(everyAnswer) }],
  item: [
    folder('Ask', ask),
    folder("OpenAI's formats", chat),
    folder('MCP', mcp),
    folder('Jobs', jobs),
    folder('Watch', watch),
    folder('Problems', problems),
  ],
};

function folder(name: string, requests: readonly PostmanRequest[]): object {
  return { name, item: requests.map(toItem) };
}
