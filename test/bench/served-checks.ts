import type { Check } from './load-checks.ts';
import type { Served, WayCost } from './served.ts';
import type { Way } from './way.ts';

/**
 * The promised upper limits of the server's CPU time per request, divided by that of another way. There is one for each
 * load of the plan, in its order. Infinity means that nothing is promised.
 */
const RATIOS: readonly { readonly to: Way; readonly format: WayCost['format']; readonly atMost: readonly number[] }[] =
  [
    { to: 'npm start', format: 'raw', atMost: [0.7, 0.5, 0.7] },
    { to: 'floor', format: 'raw', atMost: [Infinity, 1.15, 1.15] },
    { to: '@portkey-ai/gateway', format: 'chat', atMost: [0.25, 0.25] },
  ];
/** Memory of the process besides MAX_INFLIGHT_BYTES: for itself, and for garbage that is not collected yet. */
const BESIDE_INFLIGHT_MB = 250;

/** Compares what the server costs with what was promised. */
export function checkServed({ costs, memory, idle }: Served): Check[] {
  const ofServer = [...costs.filter(({ way }) => way === 'server'), ...memory];
  const failed = ofServer.reduce((sum, each) => sum + each.failed, 0);
  return [
    ...RATIOS.flatMap(({ to, format, atMost }) => {
      const of = (way: Way): WayCost[] => costs.filter((each) => each.format === format && each.way === way);
      return of('server').flatMap((ours, at) => checkRatio(ours, of(to)[at], atMost[at]));
    }),
    ...memory.map(({ form, inflightMb, answered, shed, peakMb, concurrency, megabytes }) => ({
      promise: `Memory of the server, ${concurrency} x ${megabytes} MB (${form}): at most MAX_INFLIGHT_BYTES (${inflightMb.toFixed(0)} MB) plus ${BESIDE_INFLIGHT_MB} MB`,
      measured: `${peakMb.toFixed(0)} MB; ${answered} answered, ${shed} x 503`,
      kept: answered > 0 && peakMb <= inflightMb + BESIDE_INFLIGHT_MB,
    })),
    {
      promise: `${idle.count} idle connections: all stay open, and another request is answered`,
      measured: `${idle.open} open, ${idle.memoryMb.toFixed(0)} MB for them, then ${idle.answer}`,
      kept: idle.open === idle.count && idle.answer === '200',
    },
    {
      promise: 'No request to the server failed',
      measured: `${failed} failed`,
      kept: failed === 0,
    },
  ];
}

function checkRatio(ours: WayCost, theirs: WayCost | undefined, atMost = Infinity): Check[] {
  if (!theirs || atMost === Infinity) return [];
  const ratio = ours.cpuMs / theirs.cpuMs;
  return [
    {
      promise: `CPU per request of the server, ${nameOf(ours)}: at most ${atMost} of ${theirs.way}`,
      measured: `${ratio.toFixed(2)} (${ours.cpuMs.toFixed(1)} to ${theirs.cpuMs.toFixed(1)} ms)`,
      kept: ratio <= atMost,
    },
  ];
}

/** Names a load. Chat requests have the size of their JSON, which is a third larger than the image. */
export function nameOf({ load: { megabytes, concurrency }, format }: WayCost): string {
  return format === 'raw'
    ? `${concurrency} x ${megabytes} MB`
    : `${concurrency} x ${((megabytes * 4) / 3).toFixed(1)} MB of JSON`;
}
