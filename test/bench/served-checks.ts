import type { Check } from './load-checks.ts';
import type { Served, WayCost } from './served.ts';
import type { Way } from './way.ts';

/** What was promised of the CPU time per request of the server, as a part of another way's. */
const RATIOS: readonly { readonly to: Way; readonly format: WayCost['format']; readonly atMost: readonly number[] }[] =
  [
    { to: 'npm start', format: 'raw', atMost: [0.7, 0.5, 0.7] },
    { to: 'floor', format: 'raw', atMost: [Infinity, 1.15, 1.15] },
    { to: '@portkey-ai/gateway', format: 'chat', atMost: [0.25, 0.25] },
  ];
/** What the process itself takes, and what the collector has not yet given back; megabytes. */
const BESIDE_INFLIGHT_MB = 250;

/** Holds what the server costs against what was promised of it. */
export function checkServed({ costs, memory, idle }: Served): Check[] {
  const ofServer = [...costs.filter(({ way }) => way === 'server'), ...memory];
  const failed = ofServer.reduce((sum, each) => sum + each.failed, 0);
  return [
    ...RATIOS.flatMap(({ to, format, atMost }) => {
      const of = (way: Way): WayCost[] => costs.filter((each) => each.format === format && each.way === way);
      return of('server').flatMap((ours, at) => checkRatio(ours, of(to)[at], atMost[at]));
    }),
    ...memory.map(({ form, inflightMb, answered, shed, peakMb, concurrency, megabytes }) => ({
      promise: `Memory of the server, ${concurrency} x ${megabytes} MB (${form}): at most MAX_INFLIGHT_BYTES (${inflightMb.toFixed(0)} MB) and ${BESIDE_INFLIGHT_MB} MB`,
      measured: `${peakMb.toFixed(0)} MB; ${answered} answered, ${shed} x 503`,
      kept: answered > 0 && peakMb <= inflightMb + BESIDE_INFLIGHT_MB,
    })),
    {
      promise: `${idle.count} idle connections: all stay open, and others are answered`,
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

/** Chat requests are named by their JSON, which is a third larger than the image. */
export function nameOf({ load: { megabytes, concurrency }, format }: WayCost): string {
  return format === 'raw'
    ? `${concurrency} x ${megabytes} MB`
    : `${concurrency} x ${((megabytes * 4) / 3).toFixed(1)} MB of JSON`;
}
