import { Problem } from '../http/problem.ts';
import { retryAfterMs } from './retry.ts';

/** How long to skip an endpoint that has failed or has answered 429, if it sent no Retry-After. */
const DEFAULT_REST_MS = 10_000;

interface Place<T> {
  readonly upstream: T;
  /** The endpoint is skipped until then, in milliseconds since the epoch. */
  unavailableUntil: number;
  /** Why it is skipped. */
  reason: Problem | undefined;
}

/**
 * Endpoints in their order of preference. If one answers 429 or fails, the next one is asked, and the first one is
 * skipped for as long as its Retry-After says. A single endpoint is never skipped.
 */
export class Upstreams<T> {
  readonly #places: readonly Place<T>[];

  constructor(all: readonly T[]) {
    this.#places = all.map((upstream) => ({ upstream, unavailableUntil: 0, reason: undefined }));
  }

  /**
   * Asks the endpoints in order until one answers.
   * @param send - asks one endpoint. It should retry only if `isLast` is true; otherwise, the next endpoint is asked.
   * @throws {Problem} the problem of the last endpoint, or `rate_limited` if all are skipped because of a 429
   */
  async ask<R>(send: (upstream: T, isLast: boolean) => Promise<R>): Promise<R> {
    const places = this.#ready();
    for (const place of places.slice(0, -1)) {
      try {
        return await send(place.upstream, false);
      } catch (error) {
        this.#suspend(place, error);
      }
    }
    const last = places.at(-1);
    if (!last) throw new Error('there is no endpoint to ask');
    try {
      return await send(last.upstream, true);
    } catch (error) {
      if (this.#places.length > 1) this.#suspend(last, error);
      throw error;
    }
  }

  #ready(): readonly Place<T>[] {
    const now = Date.now();
    const ready = this.#places.filter(({ unavailableUntil }) => unavailableUntil <= now);
    if (ready.length > 0) return ready;
    const [soonest] = this.#places.toSorted((a, b) => a.unavailableUntil - b.unavailableUntil);
    if (soonest?.reason?.code !== 'rate_limited') return soonest ? [soonest] : [];
    const { detail, members } = soonest.reason;
    throw new Problem('rate_limited', detail, {
      members,
      headers: { 'retry-after': String(Math.ceil((soonest.unavailableUntil - now) / 1000)) },
    });
  }

  /** Skips an endpoint for a while. Throws the error instead if another endpoint would fail in the same way. */
  #suspend(place: Place<T>, error: unknown): void {
    if (!(error instanceof Problem) || !isPassing(error)) throw error;
    place.reason = error;
    place.unavailableUntil = Date.now() + (retryAfterMs(new Headers(error.headers)) ?? DEFAULT_REST_MS);
  }
}

function isPassing({ code, members }: Problem): boolean {
  const status = Number(members['upstreamStatus'] ?? 500);
  return code === 'rate_limited' || (code === 'upstream_error' && (status >= 500 || status === 408 || status === 409));
}
