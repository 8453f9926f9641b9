import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';
import type { App } from '../app.ts';
import type { Outcome } from './outcome.ts';
import type { Relay } from './relay.ts';
import type { Question, Sent, Way } from './way.ts';

/** The outcome that the contract promises for a fault. */
export interface Expected {
  readonly status: number;
  /** A problem's code, `answer`, or `none` if there is no answer or its body is empty. */
  readonly code: string;
  /** How many requests reach the model. */
  readonly calls: number;
  /** Members that the problem must have. */
  readonly problem?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The app and the emulated Azure that a fault happens to. */
export interface Scene {
  readonly app: App;
  readonly azure: EmulatedAzure;
  /** Stands between the two. */
  readonly relay: Relay;
}

/** One thing that goes wrong, for any way of asking. A step that is left out is the same as in a normal request. */
export interface Fault {
  readonly name: string;
  /** The ways of asking in which it can happen; by default, all. */
  readonly happensTo?: (way: Way) => boolean;
  /** Makes Azure or the process fail before the question is sent. */
  readonly before?: (scene: Scene) => Promise<void> | void;
  /** Replaces the usual question. */
  readonly ask?: (usual: Question) => Question;
  /** Changes the request that is made from the question. */
  readonly alter?: (sent: Sent) => Sent;
  /** Sends the request in another way than all at once. */
  readonly send?: (scene: Scene, sent: Sent) => Promise<Outcome>;
  /** How long normal requests may be answered 503 after the fault has ended; by default, the next one must succeed. */
  readonly recoversWithinMs?: number;
  readonly expected: Expected | ((way: Way) => Expected);
}
