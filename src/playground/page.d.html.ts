/** What the build makes of page.html: see src/dev/build/playground.ts. */
declare const page: {
  /** The whole page, with its style and its script inlined. */
  readonly html: string;
  /** The hash of the style, in the format of a Content-Security-Policy. */
  readonly styleHash: string;
  /** The same for the script. */
  readonly scriptHash: string;
};
export default page;
