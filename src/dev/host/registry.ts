import type { LogLevel } from '../start/log.ts';

/** What `@azure/functions` hands over of a binding: the trigger's own options beside type and direction. */
export interface Binding {
  type: string;
  direction: string;
  route?: string;
  methods?: string[];
  authLevel?: string;
  queueName?: string;
  /** The prefix of the settings that say where the queue is. */
  connection?: string;
}

/** One registered function, as the library describes it to its host. */
export interface FunctionMetadata {
  name: string;
  bindings: Record<string, Binding>;
}

/** A handler, wrapped by the library or not. */
export type FunctionCallback = (...inputs: unknown[]) => unknown;

/** A hook, called with a context that the library wraps. */
export type HookCallback = (context: unknown) => unknown;

/** A value in the form in which the host and its worker exchange it. */
export interface TypedData {
  string?: string;
  json?: string;
  http?: object;
}

/** What the library needs to know of one invocation. */
export interface CoreInvocation {
  invocationId: string;
  metadata: FunctionMetadata;
  request: {
    inputData: { name: string; data: TypedData }[];
    triggerMetadata: Record<string, TypedData>;
    /** The trace that the request is part of. */
    traceContext: { traceParent: string | undefined; traceState: string | undefined };
  };
  /** Where the invocation stands: the library warns of a log call that comes later than it should. */
  state?: 'postInvocationHooks';
  log(level: LogLevel, category: string, message: string): void;
}

/** The library's part in one invocation, step by step. */
export interface InvocationModel {
  getArguments(): Promise<{ context: { invocationId: string }; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], handler: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<unknown>;
}

/** The library's face to its host. */
export interface ProgrammingModel {
  name: string;
  version: string;
  getCapabilities(known: Record<string, string>): Promise<Record<string, string>>;
  getInvocationModel(invocation: CoreInvocation): InvocationModel;
}

/** The hooks this host runs. */
export const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation'] as const;

/** One of the hooks this host runs. */
export type HookName = (typeof hookNames)[number];

/**
 * All that the app has told its host: one app per process, as in the real language worker.
 */
export const registry = {
  functions: new Map<string, { metadata: FunctionMetadata; callback: FunctionCallback }>(),
  hooks: new Map<HookName, Set<HookCallback>>(hookNames.map((name) => [name, new Set()])),
  model: undefined as ProgrammingModel | undefined,
  /** Where the library's own messages go; the host sets it before it imports the app. */
  log: (_level: LogLevel, _category: string, _message: string): void => {},
};

/** Runs every hook of that name in the order of registration, on one shared context. */
export async function runHooks(name: HookName, context: object): Promise<void> {
  for (const hook of registry.hooks.get(name) ?? []) {
    await hook(context);
  }
}
