import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { type Answers, bytesOf, percentile, runLoad, sendAtOnce } from './load.ts';
import { photoOf } from './photo.ts';
import { type Load, MEGABYTE, type Plan } from './plan.ts';
import type { Target } from './post.ts';
import type { Upstream } from './upstream.ts';
import { RunningWay, type Way, withLength } from './way.ts';

/** Small requests that are sent first, until V8 has compiled the code that runs often. */
const WARM_UP = { megabytes: 0.02, concurrency: 8 };
/** The ways that get an image as the raw body, with a Content-Length as most clients send it. */
const RAW: readonly Way[] = ['server', 'npm start', 'floor'];
/** The ways that get an image in a chat completion request. */
const CHAT: readonly Way[] = ['server', '@portkey-ai/gateway'];
const HEALTH = 'GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Connections to open at the same time. More could overflow the system's queue of connections to accept. */
const OPENED_AT_ONCE = 100;

/** What a request costs in one way to serve, over all rounds. */
export interface WayCost {
  readonly way: Way;
  readonly load: Load;
  readonly format: 'raw' | 'chat';
  readonly answered: number;
  readonly failed: number;
  /** CPU time of all threads per answered request, in milliseconds. Median of the rounds. */
  readonly cpuMs: number;
  /** RSS of the process in MB after the small requests, before the load. Mean of the rounds. */
  readonly idleMb: number;
  /** Highest RSS in MB from then on, the load's own warm-up included. Highest of the rounds. */
  readonly peakMb: number;
}

/** What many large images at once do to the server's memory, if they are sent in one of three forms. */
export interface ServedMemory extends Load {
  readonly form: 'Content-Length' | 'chunked' | 'chat';
  /** MAX_INFLIGHT_BYTES in MB: the size of all images together. */
  readonly inflightMb: number;
  readonly answered: number;
  /** Rejected with 503. */
  readonly shed: number;
  /** Requests with any other result. */
  readonly failed: number;
  /** Highest RSS of the process. */
  readonly peakMb: number;
}

/** Connections that are kept open and do nothing. */
export interface IdleConnections {
  readonly count: number;
  /** Connections that are still open at the end. */
  readonly open: number;
  /** How much the RSS of the process grew while they were opened. */
  readonly memoryMb: number;
  /** Result of a request with an image, sent while the connections are open: a status or an error code. */
  readonly answer: string;
}

/** What the server costs, compared with `npm start`, the floor and a gateway. */
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

/** Runs each load on each way, in turns and each time in a fresh process, then merges the rounds. */
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
    await runLoad(target(small), WARM_UP.concurrency, { seconds: plan.warmUpSeconds, minRequests: plan.servedWarmUps });
    await running.idle();
    // A time limit alone would give too few requests on a busy machine, and V8 compiles some code again for a new size.
    // Chat requests have no such minimum: the gateway takes seconds for a large one, and its limits are less tight.
    const enough = format === 'raw' ? Math.min(plan.servedRequests, plan.servedRequests / load.megabytes) : 0;
    const minRequests = Math.max(load.concurrency, enough);
    await runLoad(target(image), load.concurrency, { seconds: plan.warmUpSeconds, minRequests });
    await running.begin();
    const answers = await runLoad(target(image), load.concurrency, { seconds: plan.seconds, minRequests });
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
    cpuMs: percentile(
      rounds.map(({ cpuMs }) => cpuMs).toSorted((a, b) => a - b),
      0.5,
    ),
    idleMb: sum(({ idleMb }) => idleMb) / rounds.length,
    peakMb: Math.max(...rounds.map(({ peakMb }) => peakMb)),
  };
}

/**
 * Sends as many images at once as MAX_INFLIGHT_BYTES has room for. As JSON they need more than that, because a request
 * holds its body besides the decoded image, so some are rejected with 503.
 */
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

/** Opens connections that send one request each and then stay open. */
async function measureIdle(upstream: Upstream, { idleConnections: count }: Plan): Promise<IdleConnections> {
  const running = await RunningWay.start('server', upstream.env());
  const sockets: Socket[] = [];
  try {
    const image = withLength(running.target(photoOf(bytesOf(WARM_UP))));
    await runLoad(image, WARM_UP.concurrency, { seconds: 0, minRequests: WARM_UP.concurrency });
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
