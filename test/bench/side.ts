import * as v from 'valibot';
import { builtDir } from './build-sides.ts';
import { Child } from './child.ts';
import { Measured } from './measured.ts';

/** What is measured: the two ways people do it today, this project, and the floor. */
export const SIDES = ['tutorial', 'shared client', 'this project', 'floor'] as const;
export type Side = (typeof SIDES)[number];

const Ready = v.object({ url: v.string(), importing: v.number(), registrationMs: v.number() });

/** A side in a process of its own, listening behind the HTTP server of `@azure/functions`. */
export class RunningSide extends Measured {
  /** From the first import of the app to its functions being registered. */
  readonly registrationMs: number;
  /** When that import began, on the clock of `Date.now()`. */
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
