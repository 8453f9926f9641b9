import type { Outcome } from '../e2e/faults/outcome.ts';
import type { Call } from './callers.ts';

/** What may come of a request whatever it is, when the weather is bad. */
const WEATHER = new Set([
  'rate_limited',
  'upstream_error',
  'upstream_timeout',
  'model_access_denied',
  'deployment_not_found',
  'identity_unavailable',
  'content_filtered',
  'image_rejected',
  'overloaded',
]);
/** The deadline of five seconds, and as much again: this machine does other things too. */
const LATEST_MS = 10_000;

/** What an outcome has against the contract, in words. */
export function judge({ kind, allowed, marker }: Call, { status, code, text }: Outcome, tookMs: number): string[] {
  const what = `${kind}: ${status} ${code} after ${Math.round(tookMs)} ms`;
  const lost = code === 'none' && !allowed.includes(code);
  return [
    ...(lost ? [`${what}: lost`] : []),
    ...(!lost && !allowed.includes(code) && !WEATHER.has(code) ? [`${what}: not what comes of that`] : []),
    ...(tookMs > LATEST_MS ? [`${what}: too late`] : []),
    ...(code === 'answer' && marker && !text.includes(marker) ? [`${what}: to another's question`] : []),
  ];
}
