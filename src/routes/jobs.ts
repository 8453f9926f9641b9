import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { isRecord } from '../config/json-object.ts';
import type { Handle, RequestContext } from '../http/create-handler.ts';
import { runStep } from '../http/event-loop.ts';
import { type FieldError, invalidBody, invalidRequest, Problem } from '../http/problem.ts';
import { TIERS } from '../jobs/job.ts';
import type { JobStore } from '../jobs/store.ts';
import { readJson } from '../request/form.ts';
import { prefixPlace } from '../storage/blob-url.ts';
import { prepareSchema } from '../vision/output-schema.ts';
import { questionParser } from '../vision/question.ts';
import type { Service } from './service.ts';

/** The fields of a job besides those of a question. */
const Job = v.object({
  source: v.string('must be the URL of a container, or of a prefix of blob names in it'),
  tier: v.picklist(TIERS, 'must be flex or standard'),
  fallback: v.optional(v.boolean('must be true or false'), false),
});

/** `POST /api/jobs`: starts a job, which asks a question about every image below a URL in the background. */
export function createJob(service: Service): Handle {
  const parseQuestion = questionParser(service.settings, {
    beside: ['source', 'tier', 'fallback'],
    addInstructions: 'add instructions to the JSON in the body',
  });
  const load = jobStore(service);
  return async (context) => {
    const store = await load(context);
    const { source, tier, fallback, fields } = await readFields(context, service);
    const { container, name: prefix } = prefixPlace(source, service.settings.imageContainers);
    const question = await runStep(() => parseQuestion([fields]));
    // Refuse a bad schema now. Otherwise every image would fail with it.
    if (question.schema !== undefined) await prepareSchema(question.schema);
    const id = randomUUID();
    const startedAt = new Date().toISOString();
    const request = { container, prefix, question, tier, fallback, startedAt };
    await store.create(id, request, context.request.trace.traceparent);
    context.facts['job'] = id;
    return {
      status: 202,
      headers: { 'content-type': 'application/json', location: `/api/jobs/${id}` },
      body: JSON.stringify({ id, status: 'listing' }),
    };
  };
}

/** `GET /api/jobs/{id}`: answers with the status of a job. */
export function job(service: Service): Handle {
  const load = jobStore(service);
  return async (context) => respond(await load(context), idIn(context, -1));
}

/** `DELETE /api/jobs/{id}`: cancels a job. It asks about no further image, and keeps the results it has. */
export function cancelJob(service: Service): Handle {
  const load = jobStore(service);
  return async (context) => {
    const store = await load(context);
    const id = idIn(context, -1);
    const status = await store.status(id);
    if (!status) throw noSuchJob();
    if (status.status === 'listing' || status.status === 'running')
      await store.end(id, { cancelled: new Date().toISOString() });
    return respond(store, id);
  };
}

/** `GET /api/jobs/{id}/results`: answers with the results so far, one line of JSON for each image. */
export function jobResults(service: Service): Handle {
  const load = jobStore(service);
  return async (context) => {
    const store = await load(context);
    const id = idIn(context, -2);
    if (!(await store.find(id))) throw noSuchJob();
    const lines = store.results(id);
    // Read the first line before the response begins, so that a failure until then still gets its own status.
    const first = await lines.next();
    return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body: from(first, lines) };
  };
}

async function* from(first: IteratorResult<string, unknown>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function readFields(
  { request, deadline, stopwatch, onFinish }: RequestContext,
  { settings, admission }: Service,
) {
  const reservation = admission.enter();
  onFinish(reservation.leave);
  const body = await stopwatch.time('read', async () =>
    readJson({ request, deadline, reservation }, settings, async (json) => json.restore(json.value)),
  );
  if (!isRecord(body)) throw invalidBody('must be a JSON object');
  const { source, tier, fallback, fields } = await runStep(() => takeOwn(body));
  const { success, output, issues } = v.safeParse(Job, { source, tier, fallback: fallback ?? undefined });
  if (!success) throw invalidRequest(issues.map(fieldError));
  return { ...output, fields };
}

/** Splits a job's own fields from the question. It is a step of its own: there may be thousands of unknown fields. */
function takeOwn({ source, tier, fallback, ...fields }: Readonly<Record<string, unknown>>) {
  return { source, tier, fallback, fields };
}

function fieldError(issue: v.BaseIssue<unknown>): FieldError {
  return { field: v.getDotPath(issue) ?? '', message: issue.message };
}

/** Creates the function that opens the store of jobs. The code is loaded at the first request about a job. */
function jobStore({
  settings: { jobs },
  storage,
  isOnFunctionsHost,
}: Service): (request: Pick<RequestContext, 'deadline'>) => Promise<JobStore> {
  return async ({ deadline }) => {
    if (!isOnFunctionsHost) throw withoutHost();
    if (!jobs) throw withoutJobs();
    const [{ JobStore: Store }, account] = await Promise.all([import('../jobs/store.ts'), storage()]);
    return new Store(account, jobs, deadline);
  };
}

async function respond(store: JobStore, id: string) {
  const status = await store.status(id);
  if (!status) throw noSuchJob();
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(status) };
}

/**
 * Returns the job's id from the path.
 * @param at - the position of its segment, counted from the end
 * @throws {Problem} `job_not_found` if it is not a UUID, so that storage is not asked about it
 */
function idIn({ request, facts }: RequestContext, at: -1 | -2): string {
  const id = request.url.pathname.replace(/\/$/, '').split('/').at(at)?.toLowerCase() ?? '';
  if (!v.is(v.pipe(v.string(), v.uuid()), id)) throw noSuchJob();
  facts['job'] = id;
  return id;
}

function noSuchJob(): Problem {
  return new Problem(
    'job_not_found',
    'There is no such job. Its id is in the answer to POST /api/jobs, and a job is kept until its blobs are deleted.',
  );
}

function withoutHost(): Problem {
  return new Problem(
    'misconfigured',
    'Jobs need the Functions host, and this is the server without it. Deploy the app as a function app ' +
      '(infra/README.md), and send jobs there.',
    { members: { settings: ['JOBS_STORAGE_ACCOUNT'] } },
  );
}

function withoutJobs(): Problem {
  return new Problem(
    'misconfigured',
    'Jobs are not set up in this app: JOBS_STORAGE_ACCOUNT is not set. Set it to the name of a storage account ' +
      '(infra/README.md, Jobs).',
    { members: { settings: ['JOBS_STORAGE_ACCOUNT'] } },
  );
}
