/**
 * Makes something when it is first asked for, and once. What failed, for want of a file descriptor perhaps, is not
 * remembered: it may work the next time.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
