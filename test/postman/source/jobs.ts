import { jsonBody, type PostmanRequest } from './request.ts';

/** Requests of a job from start to end, in this order. The first one keeps the job's id for the others. */
export const jobs: PostmanRequest[] = [
  {
    name: 'Start a job',
    about:
      'Asks about every image of a container, in the background. ' +
      'Set `container` in the environment; for `npm start`, it is there. `flex` costs half.',
    method: 'POST',
    path: 'jobs',
    body: jsonBody({ source: '{{container}}', instructions: 'Write alt text for this picture.', tier: 'flex' }),
    tests: `
pm.test('the job has begun', () => {
  pm.response.to.have.status(202);
  const { id, status } = pm.response.json();
  pm.expect(status).to.equal('listing');
  pm.expect(pm.response.headers.get('location')).to.equal('/api/jobs/' + id);
  pm.environment.set('job', id);
});`,
  },
  {
    name: 'How far it is',
    about: 'Send it again until the status is `done`; a run of the collection does so by itself.',
    method: 'GET',
    path: 'jobs/{{job}}',
    tests: `
pm.test('how many images are found and answered', () => {
  pm.response.to.have.status(200);
  const { id, status, found, answered, failed, usage, finishedAt } = pm.response.json();
  pm.expect(id).to.equal(pm.environment.get('job'));
  pm.expect(status).to.be.oneOf(['listing', 'running', 'done']);
  pm.expect(usage.totalTokens).to.equal(usage.inputTokens + usage.outputTokens);
  if (status === 'done') {
    pm.expect(found).to.be.above(0);
    pm.expect(answered + failed).to.equal(found);
    pm.expect(answered).to.be.above(0);
    pm.expect(finishedAt).to.be.a('string');
    pm.environment.set('found', found);
  } else {
    pm.expect(finishedAt).to.equal(null);
    pm.execution.setNextRequest(pm.info.requestName);
    setTimeout(() => {}, 1000);
  }
});`,
  },
  {
    name: 'The results',
    about: 'A line of JSON for each image, also while the job runs.',
    method: 'GET',
    path: 'jobs/{{job}}/results',
    tests: `
pm.test('a line for each image', () => {
  pm.response.to.have.status(200);
  pm.expect(pm.response.headers.get('content-type')).to.equal('application/x-ndjson');
  const lines = pm.response.text().trimEnd().split('\\n').map((line) => JSON.parse(line));
  pm.expect(lines).to.have.lengthOf(pm.environment.get('found'));
  for (const { blob, answer, problem, tier } of lines) {
    pm.expect(blob.startsWith(pm.environment.get('container') + '/')).to.equal(true);
    pm.expect(tier).to.equal('flex');
    pm.expect(problem ? problem.code : answer).to.match(/\\w/);
  }
});`,
  },
  {
    name: 'Cancel it',
    about: 'No further image is asked about; what is answered stays. A job that is over stays as it is.',
    method: 'DELETE',
    path: 'jobs/{{job}}',
    tests: `
pm.test('over', () => {
  pm.response.to.have.status(200);
  const { id, status, finishedAt } = pm.response.json();
  pm.expect(id).to.equal(pm.environment.get('job'));
  pm.expect(status).to.be.oneOf(['done', 'cancelled']);
  pm.expect(finishedAt).to.be.a('string');
});`,
  },
];
