import type { PostmanRequest } from './request.ts';

/** Requests that ask nothing about an image. */
export const watch: PostmanRequest[] = [
  {
    name: 'Is it alive?',
    about: 'Touches nothing outside the process, and needs no key.',
    method: 'GET',
    path: 'health',
    tests: `
pm.test('alive, and which version', () => {
  pm.response.to.have.status(200);
  const { status, version } = pm.response.json();
  pm.expect(status).to.equal('ok');
  pm.expect(version).to.match(/^\\d+\\.\\d+\\.\\d+/);
});`,
  },
  {
    name: 'Could it answer?',
    about:
      'Gets a token and asks the deployment, without paying. ' +
      'A line for each check; the first that failed says what to do.',
    method: 'GET',
    path: 'health/ready',
    tests: `
pm.test('every check passes', () => {
  const { ok, checks } = pm.response.json();
  pm.expect(checks.filter(({ status }) => status === 'fail')).to.eql([]);
  pm.expect(ok).to.equal(true);
  pm.response.to.have.status(200);
});`,
  },
  {
    name: 'What can it do?',
    about: 'The OpenAPI document of all of this. Postman imports it, too.',
    method: 'GET',
    path: 'openapi.json',
    tests: `
pm.test('OpenAPI 3.1 of these routes', () => {
  pm.response.to.have.status(200);
  const { openapi, paths } = pm.response.json();
  pm.expect(openapi).to.match(/^3\\.1\\./);
  pm.expect(paths).to.include.keys('/processImage', '/chat/completions');
});`,
  },
  {
    name: 'A page to try it on',
    about: 'Better in a browser.',
    method: 'GET',
    path: 'playground',
    tests: `
pm.test('a page that lets nothing else in', () => {
  pm.response.to.have.status(200);
  pm.expect(pm.response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
  pm.expect(pm.response.headers.get('content-security-policy')).to.match(/^default-src 'none';/);
});`,
  },
];
