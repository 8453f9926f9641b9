import type { Outcome } from '../e2e/faults/outcome.ts';
import type { Call } from './callers.ts';

/** Outcomes that every request may have while faults are injected. */
const OUTCOMES_OF_FAULTS = new Set([
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
/** Twice the app's deadline of five seconds, because the machine is busy with other work, too. */
const LATEST_MS = 10_000;

/** Describes everything that is wrong with an outcome. */
export function judge({ kind, allowed, marker }: Call, { status, code, text }: Outcome, tookMs: number): string[] {
  const what = `${kind}: ${status} ${code} after ${Math.round(tookMs)} ms`;
  const lost = code === 'none' && !allowed.includes(code);
  return [
    ...(lost ? [`${what}: lost`] : []),
    ...(!lost && !allowed.includes(code) && !OUTCOMES_OF_FAULTS.has(code) ? [`${what}: an unexpected outcome`] : []),
    ...(tookMs > LATEST_MS ? [`${what}: too late`] : []),
    ...(code === 'answer' && marker && !text.includes(marker) ? [`${what}: to another question`] : []),
  ];
}
