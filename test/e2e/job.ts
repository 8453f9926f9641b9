import type { ContainerClient } from '@azure/storage-blob';
import sharp from 'sharp';
import * as v from 'valibot';

const UPLOADS_AT_ONCE = 16;
/** The number of different images. More would only take longer to make. */
const DISTINCT = 200;

const Job = v.object({
  id: v.string(),
  status: v.picklist(['listing', 'running', 'done', 'cancelled', 'failed']),
  found: v.pipe(v.number(), v.integer()),
  answered: v.pipe(v.number(), v.integer()),
  failed: v.pipe(v.number(), v.integer()),
  finishedAt: v.nullish(v.string()),
});
/** A job as `GET /api/jobs/{id}` describes it. */
export type Job = v.InferOutput<typeof Job>;

const Result = v.looseObject({
  blob: v.string(),
  answer: v.optional(v.string()),
  problem: v.optional(v.looseObject({ code: v.string() })),
});
/** A line of a job's results. */
export type Result = v.InferOutput<typeof Result>;

/** Uploads small images as `PREFIX/00000.png` and so on, and returns their URLs. */
export async function putImages(container: ContainerClient, prefix: string, count: number): Promise<string[]> {
  const images = await Promise.all(Array.from({ length: Math.min(count, DISTINCT) }, async (_, at) => stillOf(at)));
  const names = Array.from({ length: count }, (_, at) => `${prefix}/${String(at).padStart(5, '0')}.png`);
  const entries = names.entries();
  await Promise.all(
    Array.from({ length: UPLOADS_AT_ONCE }, async () => {
      for (const [at, name] of entries)
        await container.getBlockBlobClient(name).uploadData(images[at % DISTINCT] ?? Buffer.alloc(0));
    }),
  );
  return names.map((name) => `${container.url}/${name}`);
}

async function stillOf(at: number): Promise<Buffer> {
  const background = { r: at % 256, g: (at * 7) % 256, b: (at * 31) % 256 };
  return sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .png()
    .toBuffer();
}

/** Starts a job for all blobs under a URL, and returns its id. */
export async function startJob(appUrl: string, source: string, more: object = {}): Promise<string> {
  const answer = await fetch(`${appUrl}/api/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ source, instructions: 'What is this?', tier: 'flex', ...more }),
  });
  if (answer.status !== 202) throw new Error(`The job was not started: ${answer.status} ${await answer.text()}`);
  return v.parse(v.pick(Job, ['id']), await answer.json()).id;
}

/** Returns the status of a job, or undefined if the app does not answer with it. */
export async function lookAtJob(appUrl: string, id: string): Promise<Job | undefined> {
  try {
    const answer = await fetch(`${appUrl}/api/jobs/${id}`);
    return answer.ok ? v.parse(Job, await answer.json()) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the results of a job.
 * @throws {Error} if the app does not answer with them
 */
export async function resultsOf(appUrl: string, id: string): Promise<Result[]> {
  const answer = await fetch(`${appUrl}/api/jobs/${id}/results`);
  if (!answer.ok) throw new Error(`Could not get the results of the job: ${answer.status} ${await answer.text()}`);
  const lines = (await answer.text()).split('\n').filter(Boolean);
  return lines.map((line) => v.parse(Result, JSON.parse(line)));
}
