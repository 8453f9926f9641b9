/** What the page is told by the service that it is a page of, to warn before an upload rather than after it. */
export interface PageSettings {
  /** Whether a function key is asked for, where the app runs in Azure. */
  readonly authLevel: 'function' | 'anonymous';
  readonly maxImages: number;
  /** Bytes of one image. */
  readonly maxImageBytes: number;
  /** Bytes of all together. */
  readonly maxBodyBytes: number;
  /** Characters. */
  readonly maxInstructions: number;
  readonly maxOutputTokens: number;
}
