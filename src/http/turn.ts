/**
 * How long work that comes in steps may hold the event loop before others have their turn, in milliseconds. A step takes
 * about one more.
 */
const TURN_MS = 3;

/** How long steps have held the event loop since it last had a turn, in milliseconds. */
let held = 0;
/** Each that waits has a turn of its own: all requests share the time that steps may take in one go. */
let lastTurn: Promise<void> = Promise.resolve();

/** Does one short step of a long work, after others had their turn if they have waited long enough for one. */
export async function inTurn<T>(step: () => T): Promise<T> {
  if (held >= TURN_MS) await (lastTurn = lastTurn.then(nextTurn));
  const started = performance.now();
  try {
    return step();
  } finally {
    held += performance.now() - started;
  }
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
  held = 0;
}
