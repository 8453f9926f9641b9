import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { type Answers, bytesOf, keepUp, sendAtOnce } from './load.ts';
import { photoOf } from './photo.ts';
import { type Load, MEGABYTE, type Plan } from './plan.ts';
import type { Target } from './post.ts';
import type { Upstream } from './upstream.ts';
import { RunningWay, type Way, withLength } from './way.ts';

/** Small requests that go ahead, until V8 has compiled what runs often. */
const WARM_UP = { megabytes: 0.02, concurrency: 8 };
/** An image posted raw, each with a Content-Length as most clients send it. */
const RAW: readonly Way[] = ['server', 'npm start', 'floor'];
/** The same chat completion request. */
const CHAT: readonly Way[] = ['server', '@portkey-ai/gateway'];
const HEALTH = 'GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Connections that are opened at the same time; the system's queue of those that wait to be taken is finite. */
const OPENED_AT_ONCE = 100;

/** What a request costs when it is served in one of the ways. */
export interface WayCost {
  readonly way: Way;
  readonly load: Load;
  readonly format: 'raw' | 'chat';
  readonly answered: number;
  readonly failed: number;
  /** Of all rounds, milliseconds. */
  readonly cpuMs: number;
  /** Bytes of the process: before the load, and at the highest. */
  readonly idleMb: number;
  readonly peakMb: number;
}

/** Many large images at once, sent in three forms. */
export interface ServedMemory extends Load {
  readonly form: 'Content-Length' | 'chunked' | 'chat';
  readonly inflightMb: number;
  readonly answered: number;
  /** Turned away with 503. */
  readonly shed: number;
  readonly failed: number;
  readonly peakMb: number;
}

/** Connections that are kept open and do nothing. */
export interface IdleConnections {
  readonly count: number;
  /** Of them, those that are still open at the end. */
  readonly open: number;
  readonly memoryMb: number;
  /** What a caller got meanwhile, who asked about an image. */
  readonly answer: string;
}

/** What the server costs beside `npm start`, the floor and a peer. */
export interface Served {
  readonly costs: readonly WayCost[];
  readonly memory: readonly ServedMemory[];
  readonly idle: IdleConnections;
}

export async function measureServed(upstream: Upstream, plan: Plan): Promise<Served> {
  const costs = [
    ...(await measureCosts(upstream, plan, { loads: plan.rawLoads, ways: RAW, format: 'raw' })),
    ...(await measureCosts(upstream, plan, { loads: plan.chatLoads, ways: CHAT, format: 'chat' })),
  ];
  const memory: ServedMemory[] = [];
  for (const form of ['Content-Length', 'chunked', 'chat'] as const)
    memory.push(await measureMemory(upstream, plan.servedAtOnce, form));
  return { costs, memory, idle: await measureIdle(upstream, plan) };
}

/** Puts each load on each way in turns, each time in a fresh process: means of the rounds, and the higher of the peaks. */
async function measureCosts(
  upstream: Upstream,
  plan: Plan,
  { loads, ways, format }: { loads: readonly Load[]; ways: readonly Way[]; format: WayCost['format'] },
): Promise<WayCost[]> {
  const rounds: WayCost[] = [];
  for (let round = 0; round < plan.servedRounds; round++)
    for (const load of loads) for (const way of ways) rounds.push(await measureCost(upstream, plan, way, load, format));
  return loads.flatMap((load) =>
    ways.map((way) => merged(rounds.filter((each) => each.way === way && each.load === load))),
  );
}

async function measureCost(
  upstream: Upstream,
  plan: Plan,
  way: Way,
  load: Load,
  format: WayCost['format'],
): Promise<WayCost> {
  const image = photoOf(bytesOf(load));
  const small = photoOf(bytesOf(WARM_UP));
  const running = await RunningWay.start(way, {
    ...upstream.env(),
    MAX_INFLIGHT_BYTES: String(1024 * MEGABYTE),
    READY_MADE_FOR: `${small.length},${image.length}`,
  });
  try {
    const target = (bytes: Buffer): Target =>
      withLength(format === 'raw' ? running.target(bytes) : running.chatTarget(bytes, upstream));
    await keepUp(target(small), WARM_UP.concurrency, { seconds: plan.warmUpSeconds, least: plan.servedWarmUps });
    await running.idle();
    // A busy machine answers few requests in a given time, and a new size has some code compiled again. A gateway takes
    // seconds for a large chat request, and its promise leaves more room.
    const wanted = format === 'raw' ? Math.min(plan.servedRequests, plan.servedRequests / load.megabytes) : 0;
    const least = Math.max(load.concurrency, wanted);
    await keepUp(target(image), load.concurrency, { seconds: plan.warmUpSeconds, least });
    await running.begin();
    const answers = await keepUp(target(image), load.concurrency, { seconds: plan.seconds, least });
    const { cpuSeconds, idleRss, peakRss } = await running.cost();
    return {
      way,
      load,
      format,
      answered: answers.answered,
      failed: failures(answers),
      cpuMs: (cpuSeconds * 1000) / answers.answered,
      idleMb: idleRss / MEGABYTE,
      peakMb: peakRss / MEGABYTE,
    };
  } finally {
    await running.stop();
  }
}

function merged(rounds: readonly WayCost[]): WayCost {
  const [first] = rounds;
  if (!first) throw new Error('no round was measured');
  const sum = (figure: (round: WayCost) => number): number => rounds.reduce((all, each) => all + figure(each), 0);
  return {
    ...first,
    answered: sum(({ answered }) => answered),
    failed: sum(({ failed }) => failed),
    cpuMs: sum(({ cpuMs }) => cpuMs) / rounds.length,
    idleMb: sum(({ idleMb }) => idleMb) / rounds.length,
    peakMb: Math.max(...rounds.map(({ peakMb }) => peakMb)),
  };
}

/** Sends so many at once that their images fill what requests may hold, or more: JSON is held beside its images. */
async function measureMemory(upstream: Upstream, load: Load, form: ServedMemory['form']): Promise<ServedMemory> {
  const image = photoOf(bytesOf(load));
  const inflight = image.length * load.concurrency;
  const running = await RunningWay.start('server', { ...upstream.env(), MAX_INFLIGHT_BYTES: String(inflight) });
  try {
    const raw = running.target(image);
    const target = {
      'Content-Length': withLength(raw),
      chunked: raw,
      chat: withLength(running.chatTarget(image, upstream)),
    }[form];
    await running.idle();
    await running.begin();
    const answers = await sendAtOnce(target, load.concurrency);
    const { peakRss } = await running.cost();
    const shed = answers.failed['503'] ?? 0;
    return {
      ...load,
      form,
      inflightMb: inflight / MEGABYTE,
      answered: answers.answered,
      shed,
      failed: failures(answers) - shed,
      peakMb: peakRss / MEGABYTE,
    };
  } finally {
    await running.stop();
  }
}

/** Each connection has had an answer, and could have another. */
async function measureIdle(upstream: Upstream, { idleConnections: count }: Plan): Promise<IdleConnections> {
  const running = await RunningWay.start('server', upstream.env());
  const sockets: Socket[] = [];
  try {
    const image = withLength(running.target(photoOf(bytesOf(WARM_UP))));
    await keepUp(image, WARM_UP.concurrency, { seconds: 0, least: WARM_UP.concurrency });
    const before = await running.rss();
    while (sockets.length < count) {
      const missing = Math.min(OPENED_AT_ONCE, count - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: missing }, async () => openIdle(running.url)))));
    }
    const after = await running.rss();
    const { failed, answered } = await sendAtOnce(image, 1);
    return {
      count,
      open: sockets.filter(({ closed }) => !closed).length,
      memoryMb: (after - before) / MEGABYTE,
      answer: answered === 1 ? '200' : Object.keys(failed).join(', '),
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await running.stop();
  }
}

async function openIdle(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  socket.write(HEALTH);
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  return socket.resume();
}

function failures({ failed }: Answers): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}
