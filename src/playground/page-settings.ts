import type { AuthLevel } from '../config/sign-in.ts';
import type { Limits } from '../config/limits.ts';

/** What the page is told by the service that it is a page of, to warn before an upload rather than after it. */
export interface PageSettings extends Limits {
  /** What callers of the protected routes must bring. */
  readonly authLevel: AuthLevel;
  /** Whether the app has jobs, and the container that the page offers; none in Azure, where anyone may see the page. */
  readonly jobs: { readonly source: string } | undefined;
}
