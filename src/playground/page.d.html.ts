/** What the build makes of page.html: see src/build/playground.ts. */
declare const page: {
  /** The whole page, its style and its script inside. */
  readonly html: string;
  /** Hashes of the two, as a Content-Security-Policy names them. */
  readonly styleHash: string;
  readonly scriptHash: string;
};
export default page;
