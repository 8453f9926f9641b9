/**
 * `npm run bench:jobs` runs jobs of many small images on Azurite, with an emulated model. With `-- --long`, jobs have
 * up to 20,000 images. It prints how fast images are answered, compared with what the model's time allows, and what an
 * image costs in small and large jobs.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from '../../src/dev/build/build.ts';
import { startAzure } from '../../src/dev/emulator/azure.ts';
import { startStorage } from '../../src/dev/emulator/storage.ts';
import { type App, startApp } from '../e2e/app.ts';
import { lookAtJob, putImages, startJob } from '../e2e/job.ts';
import { startStorageProxy } from '../storage/storage-proxy.ts';

const CONCURRENCY = 16;
const WARM_UP_IMAGES = 100;
const MEGABYTE = 1024 * 1024;
/** The unit of CPU time in `/proc/PID/stat` is 1/100 s on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const LOOK_EVERY_MS = 100;

interface Run {
  readonly images: number;
  readonly modelMs: number;
  /** Whether a proxy counts the requests to storage. The proxy takes CPU time, so it makes a run slower. */
  readonly counts: boolean;
}

interface Measured extends Run {
  readonly perSecond: number;
  /** {@link perSecond} as a share of what is possible: CONCURRENCY images in each time that the model takes. */
  readonly share: number;
  /**
   * Cores in use, as CPU seconds per second. `model` is this process: it runs the emulated model, the proxy if there is
   * one, and the benchmark itself.
   */
  readonly busy: { readonly app: number; readonly azurite: number; readonly model: number };
  readonly appCpuMsPerImage: number;
  readonly storageRequestsPerImage: number | undefined;
  /** RSS of the app when a quarter, a half and all of the images are answered. */
  readonly rssMb: readonly number[];
}

async function measure(run: Run): Promise<Measured> {
  const { images, modelMs, counts } = run;
  const [azure, storage] = await Promise.all([startAzure({ answerDelayMs: modelMs }), startStorage()]);
  await storage.ready;
  const proxy = counts ? await startStorageProxy(storage) : undefined;
  const app = await startApp({
    ...azure.env,
    ...(proxy ?? storage).env,
    NODE_EXTRA_CA_CERTS: storage.caFile,
    JOBS_CONCURRENCY: String(CONCURRENCY),
  });
  try {
    await putImages(storage.images, 'bench', images);
    // Warm up the app first, until V8 has compiled the code that runs often.
    await putImages(storage.images, 'warm-up', WARM_UP_IMAGES);
    const container = proxy?.images ?? storage.images.url;
    await finish(app, await startJob(app.url, `${container}/warm-up/`), WARM_UP_IMAGES);

    const azurite = await childNamed('azurite');
    const before = { app: await cpuOf(app.pid), azurite: await cpuOf(azurite), model: process.cpuUsage() };
    const requests = total(proxy?.counts);
    const started = performance.now();
    const id = await startJob(app.url, `${container}/bench/`);
    const rssMb: number[] = [];
    for (const share of [0.25, 0.5, 1]) {
      await answered(app, WARM_UP_IMAGES + images * share);
      rssMb.push(await rssOf(app.pid));
    }
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(before.model);
    const cpu = { app: (await cpuOf(app.pid)) - before.app, azurite: (await cpuOf(azurite)) - before.azurite };
    const asked = total(proxy?.counts) - requests;
    await finish(app, id, images);
    const perSecond = images / seconds;
    return {
      ...run,
      perSecond,
      share: perSecond / (CONCURRENCY / (modelMs / 1_000)),
      busy: { app: cpu.app / seconds, azurite: cpu.azurite / seconds, model: (user + system) / 1e6 / seconds },
      appCpuMsPerImage: (cpu.app * 1_000) / images,
      storageRequestsPerImage: proxy ? asked / images : undefined,
      rssMb,
    };
  } finally {
    await app.stop();
    proxy?.close();
    await storage.close();
    azure.close();
  }
}

/** Resolves when the app has logged this number of answered images since it started. */
async function answered(app: App, count: number): Promise<void> {
  let seen = 0;
  let read = 0;
  while (seen < count) {
    await sleep(LOOK_EVERY_MS);
    const output = app.output();
    const end = output.lastIndexOf('\n') + 1;
    seen += output.slice(read, end).split('"outcome":"answered"').length - 1;
    read = end;
  }
}

/** Resolves when the job is done and all its images are answered. */
async function finish(app: App, id: string, images: number): Promise<void> {
  for (;;) {
    const job = await lookAtJob(app.url, id);
    if (job?.status === 'done' && job.answered === images) return;
    if (job && !['listing', 'running'].includes(job.status))
      throw new Error(`The job ended without an answer for each image: ${JSON.stringify(job)}`);
    await sleep(1_000);
  }
}

/** CPU seconds, user and system, that a process has used so far. */
async function cpuOf(pid: number): Promise<number> {
  const [user, system] = (await statOf(pid)).slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND;
}

/** The fields of `/proc/PID/stat` from the third on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** RSS of a process in MB. */
async function rssOf(pid: number): Promise<number> {
  const [, kilobytes] = /VmRSS:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1_024) / MEGABYTE;
}

/** Returns the PID of a child of this process whose command line contains a word: the last one, if there are more. */
async function childNamed(word: string): Promise<number> {
  const pids = (await readdir('/proc')).map(Number).filter(Boolean);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(word) && (await statOf(pid))[1] === String(process.pid) ? [pid] : [];
    }),
  );
  const pid = found.flat().at(-1);
  if (pid === undefined) throw new Error(`No child of this process has ${word} in its command line.`);
  return pid;
}

function total(counts: ReadonlyMap<string, number> = new Map()): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function row(run: Measured): string {
  const { images, modelMs, perSecond, share, busy, appCpuMsPerImage, storageRequestsPerImage, rssMb } = run;
  const cores = [busy.app, busy.azurite, busy.model].map((each) => each.toFixed(2)).join(' / ');
  const cells = [
    String(images),
    `${modelMs} ms`,
    perSecond.toFixed(1),
    `${Math.round(share * 100)} %`,
    cores,
    appCpuMsPerImage.toFixed(1),
    storageRequestsPerImage?.toFixed(2) ?? '',
    rssMb.map((each) => each.toFixed(0)).join(', '),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

const { values } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
const plan: readonly Run[] = [
  { images: 2_000, modelMs: 200, counts: false },
  { images: 640, modelMs: 1_000, counts: false },
  { images: 200, modelMs: 200, counts: true },
  { images: 2_000, modelMs: 200, counts: true },
  ...(values.long ? [{ images: 20_000, modelMs: 200, counts: true }] : []),
];
await build();
process.stdout.write(
  '| images | model | images/s | of concurrency / model time | cores: app / Azurite / model | app CPU ms per image ' +
    '| storage requests per image | RSS in MB at 25, 50, 100 % |\n' +
    '| --- | --- | --- | --- | --- | --- | --- | --- |\n',
);
for (const run of plan) process.stdout.write(row(await measure(run)));
