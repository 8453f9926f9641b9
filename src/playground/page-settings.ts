import type { AuthLevel } from '../config/sign-in.ts';
import type { Limits } from '../config/limits.ts';

/** What the page knows about its app, so that it can warn before an upload instead of after it. */
export interface PageSettings extends Limits {
  /** How callers of the protected routes sign in. */
  readonly authLevel: AuthLevel;
  /**
   * Undefined if the app has no jobs. `source` is the container that the page offers; empty in Azure, where anyone may
   * see the page.
   */
  readonly jobs: { readonly source: string } | undefined;
}
