/** How long to wait for Azure to make up its mind, and how often to look. */
export interface Patience {
  readonly seconds: number;
  readonly everySeconds: number;
}

/** A new role takes 5 to 10 minutes to apply; a new app or deployment is found within that time too. */
export const FOR_A_NEW_ROLE: Patience = { seconds: 15 * 60, everySeconds: 15 };

/** What an attempt came to: its result, or why it failed so far and that waiting may help. */
export type Attempt<T> = { readonly done: T } | { readonly waitFor: string };

/**
 * Tries until there is a result, saying each new reason to wait once.
 * @throws {Error} the last reason, when the time is up; and whatever an attempt throws, at once.
 */
export async function withPatience<T>(
  { seconds, everySeconds }: Patience,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let printed = '';
  for (;;) {
    const outcome = await attempt();
    if ('done' in outcome) return outcome.done;
    if (performance.now() + everySeconds * 1000 > deadline) throw new Error(outcome.waitFor);
    if (outcome.waitFor !== printed) console.log(`${outcome.waitFor}\n  Waiting for up to ${minutesUntil(deadline)}.`);
    printed = outcome.waitFor;
    await new Promise((resolve) => setTimeout(resolve, everySeconds * 1000));
  }
}

function minutesUntil(deadline: number): string {
  const minutes = Math.ceil((deadline - performance.now()) / 60_000);
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}
