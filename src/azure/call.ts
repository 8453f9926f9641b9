import { AsyncLocalStorage } from 'node:async_hooks';

/** What one call carries past the SDK, which knows nothing of it, down to the transport. */
export interface Call {
  /** The images of the request, by the placeholder that stands for each in its JSON. */
  readonly images: ReadonlyMap<string, Buffer>;
  /** Milliseconds left of the request's deadline. */
  remaining(): number;
}

/** The call that is under way; one for each request, retries included. */
export const currentCall = new AsyncLocalStorage<Call>();
