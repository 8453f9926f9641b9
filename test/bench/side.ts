import * as v from 'valibot';
import { builtDir } from './build-sides.ts';
import { Child } from './child.ts';
import { Measured } from './measured.ts';

/** The apps to compare: two common ways to write one, this project, and the minimum with and without the SDK. */
export const SIDES = ['tutorial', 'shared client', 'this project', 'bare SDK', 'floor'] as const;
export type Side = (typeof SIDES)[number];

const Ready = v.object({ url: v.string(), importing: v.number(), registrationMs: v.number() });

/** An app in a process of its own, behind the HTTP server of `@azure/functions`. */
export class RunningSide extends Measured {
  /** From the start of the app's import until its functions are registered, in milliseconds. */
  readonly registrationMs: number;
  /** When that import started, in milliseconds since 1970, like `Date.now()` but with fractions. */
  readonly importing: number;

  private constructor(child: Child, { url, importing, registrationMs }: v.InferOutput<typeof Ready>) {
    super(child, url);
    this.importing = importing;
    this.registrationMs = registrationMs;
  }

  static async start(app: string, env: Readonly<Record<string, string>>): Promise<RunningSide> {
    const child = new Child('serve.ts', [builtDir(app)], env);
    return new RunningSide(child, await child.next(Ready));
  }
}
