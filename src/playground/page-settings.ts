import type { Limits } from '../config/limits.ts';

/** What the page is told by the service that it is a page of, to warn before an upload rather than after it. */
export interface PageSettings extends Limits {
  /** Whether a function key is asked for, where the app runs in Azure. */
  readonly authLevel: 'function' | 'token' | 'anonymous';
}
