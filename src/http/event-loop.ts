/** How long steps may block the event loop at a time, in milliseconds. The last step adds about 1 ms. */
const TURN_MS = 3;

/** How long steps have blocked the event loop since the last turn, in milliseconds. */
let held = 0;
/** The turn that was requested last. Each waiting step gets its own turn, because all requests share the time limit. */
let lastTurn: Promise<void> = Promise.resolve();

/** Runs one short step of long work. If steps have blocked the event loop for too long, other work runs first. */
export async function runStep<T>(step: () => T): Promise<T> {
  if (held >= TURN_MS) await yieldToOthers();
  const started = performance.now();
  try {
    return step();
  } finally {
    held += performance.now() - started;
  }
}

/** Waits for a turn of the event loop that no other long work has requested. */
export async function yieldToOthers(): Promise<void> {
  lastTurn = lastTurn.then(nextTurn);
  await lastTurn;
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
  held = 0;
}
