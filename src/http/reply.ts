/** An answer, before the front door adds the headers that all have. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces where it is made while it is sent; they are asked for no faster than they are taken. */
  readonly body: string | AsyncIterable<string>;
}
