/**
 * Wraps `make` so that it runs at the first call and all later calls get the same result. A failure is not kept: the
 * next call tries again, because the cause may be gone (such as too many open files).
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
