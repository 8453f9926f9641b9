/**
 * `npm run bench:jobs`: a job of many small images on Azurite with an emulated model; `-- --long` goes up to 20,000 images.
 * It prints how fast images are answered compared with what the model's time allows, and what each image costs as jobs grow.
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
const MEGABYTE = 1024 * 1024;
/** Of `/proc/PID/stat`; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const LOOK_EVERY_MS = 100;

interface Run {
  readonly images: number;
  readonly modelMs: number;
  /** Whether requests to storage are counted, by a proxy that takes CPU itself. */
  readonly counts: boolean;
}

interface Measured extends Run {
  readonly perSecond: number;
  /** Of what so many places and this model allow. */
  readonly share: number;
  /** CPU seconds per second of the job: of the app, of Azurite, and of the emulated model. */
  readonly busy: { readonly app: number; readonly azurite: number; readonly model: number };
  readonly appCpuMsPerImage: number;
  readonly storageRequestsPerImage: number | undefined;
  /** Of the app, when a quarter, a half and all of the images are answered. */
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
    // The first images are answered by a process that has not compiled what runs often.
    await putImages(storage.images, 'warm-up', 100);
    const container = proxy?.images ?? storage.images.url;
    await finish(app, await startJob(app.url, `${container}/warm-up/`), 100);

    const azurite = await childNamed('azurite');
    const before = { app: await cpuOf(app.pid), azurite: await cpuOf(azurite), model: process.cpuUsage() };
    const requests = total(proxy?.counts);
    const started = performance.now();
    const id = await startJob(app.url, `${container}/bench/`);
    const rssMb: number[] = [];
    for (const share of [0.25, 0.5, 1]) {
      await answered(app, 100 + images * share);
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

/** Resolves when the app's log has so many answered images. */
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

async function finish(app: App, id: string, images: number): Promise<void> {
  for (;;) {
    const job = await lookAtJob(app.url, id);
    if (job?.status === 'done' && job.answered === images) return;
    if (job && !['listing', 'running'].includes(job.status))
      throw new Error(`The job ended otherwise: ${JSON.stringify(job)}`);
    await sleep(1_000);
  }
}

/** CPU seconds that a process has used. */
async function cpuOf(pid: number): Promise<number> {
  const [user, system] = (await statOf(pid)).slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND;
}

/** The fields of `/proc/PID/stat` from the third on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function rssOf(pid: number): Promise<number> {
  const [, kilobytes] = /VmRSS:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1_024) / MEGABYTE;
}

/** The process that this one has started last of those whose command line has a word. */
async function childNamed(word: string): Promise<number> {
  const pids = (await readdir('/proc')).map(Number).filter(Boolean);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(word) && (await statOf(pid))[1] === String(process.pid) ? [pid] : [];
    }),
  );
  const pid = found.flat().at(-1);
  if (pid === undefined) throw new Error(`No child of this process is called ${word}.`);
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
  '| images | model | images/s | of concurrency / model time | cores: app / Azurite / model | app CPU ms per image | storage requests per image | RSS in MB at 25, 50, 100 % |\n' +
    '| --- | --- | --- | --- | --- | --- | --- | --- |\n',
);
for (const run of plan) process.stdout.write(row(await measure(run)));
