import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';
import type { App } from '../app.ts';
import type { Outcome } from './outcome.ts';
import type { Relay } from './relay.ts';
import type { Question, Sent, Way } from './way.ts';

/** What the contract says comes of a fault. */
export interface Expected {
  readonly status: number;
  /** A problem's code, `answer`, or `none` where nobody waits for an answer. */
  readonly code: string;
  /** Requests that reach the model. */
  readonly calls: number;
  /** Members of the problem. */
  readonly problem?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a fault happens. */
export interface Scene {
  readonly app: App;
  readonly azure: EmulatedAzure;
  /** Between the two. */
  readonly relay: Relay;
}

/** One thing that goes wrong, in whatever way was asked. What is left out goes as on an ordinary day. */
export interface Fault {
  readonly name: string;
  /** The ways of asking in which it can happen; all, where it does not say. */
  readonly happensTo?: (way: Way) => boolean;
  /** What has gone wrong on Azure's side, or in the process, before the question is put. */
  readonly before?: (scene: Scene) => Promise<void> | void;
  /** Another question than the usual one. */
  readonly ask?: (usual: Question) => Question;
  /** Another request than the question makes. */
  readonly alter?: (sent: Sent) => Sent;
  /** Another way to send the request than all at once. */
  readonly send?: (scene: Scene, sent: Sent) => Promise<Outcome>;
  /** When, at the latest, a normal request succeeds once the fault is mended; the next one does, where it does not say. */
  readonly recoversWithinMs?: number;
  readonly expected: Expected | ((way: Way) => Expected);
}
