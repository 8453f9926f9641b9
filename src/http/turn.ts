/** How long steps may hold the event loop in one go, in milliseconds. The last of them adds about one more. */
const TURN_MS = 3;

/** How long steps have held the event loop since the last turn, in milliseconds. */
let held = 0;
/** The turn that was asked for last. Each that waits gets a turn of its own, because all requests share the time. */
let lastTurn: Promise<void> = Promise.resolve();

/** Does one short step of long work. If steps have held the event loop for long, other work goes first. */
export async function inTurn<T>(step: () => T): Promise<T> {
  if (held >= TURN_MS) await turn();
  const started = performance.now();
  try {
    return step();
  } finally {
    held += performance.now() - started;
  }
}

/** Waits for a turn of the event loop in which no other long work goes on. */
export async function turn(): Promise<void> {
  lastTurn = lastTurn.then(nextTurn);
  await lastTurn;
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
  held = 0;
}
