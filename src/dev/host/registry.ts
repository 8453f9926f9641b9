import type { LogLevel } from '../start/log.ts';

/** A binding, as `@azure/functions` registers it: type, direction and the options of its trigger. */
export interface Binding {
  type: string;
  direction: string;
  route?: string;
  methods?: string[];
  authLevel?: string;
  queueName?: string;
  /** The prefix of the settings with the queue's account. */
  connection?: string;
}

/** A registered function, as the library describes it to its host. */
export interface FunctionMetadata {
  name: string;
  bindings: Record<string, Binding>;
}

/** A handler, which the library may have wrapped. */
export type FunctionCallback = (...inputs: unknown[]) => unknown;

/** A hook, called with a context that the library wraps. */
export type HookCallback = (context: unknown) => unknown;

/** A value in the format that the host and its worker exchange. */
export interface TypedData {
  string?: string;
  json?: string;
  http?: object;
}

/** What the library needs for one invocation. */
export interface CoreInvocation {
  invocationId: string;
  metadata: FunctionMetadata;
  request: {
    inputData: { name: string; data: TypedData }[];
    triggerMetadata: Record<string, TypedData>;
    /** The trace context of the request. */
    traceContext: { traceParent: string | undefined; traceState: string | undefined };
  };
  /** The stage of the invocation. The library warns if the app logs after it. */
  state?: 'postInvocationHooks';
  log(level: LogLevel, category: string, message: string): void;
}

/** The library's steps in one invocation. */
export interface InvocationModel {
  getArguments(): Promise<{ context: { invocationId: string }; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], handler: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<unknown>;
}

/** The library's interface for its host. */
export interface ProgrammingModel {
  name: string;
  version: string;
  getCapabilities(known: Record<string, string>): Promise<Record<string, string>>;
  getInvocationModel(invocation: CoreInvocation): InvocationModel;
}

/** The hooks that this host runs. */
export const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation'] as const;

/** The name of a hook that this host runs. */
export type HookName = (typeof hookNames)[number];

/** Everything that the app has registered. There is one app per process, as in the real language worker. */
export const registry = {
  functions: new Map<string, { metadata: FunctionMetadata; callback: FunctionCallback }>(),
  hooks: new Map<HookName, Set<HookCallback>>(hookNames.map((name) => [name, new Set()])),
  model: undefined as ProgrammingModel | undefined,
  /** Logs the library's own messages. The host sets it before it imports the app. */
  log: (_level: LogLevel, _category: string, _message: string): void => {},
};

/** Runs all hooks with this name in the order of registration. They share one context. */
export async function runHooks(name: HookName, context: object): Promise<void> {
  for (const hook of registry.hooks.get(name) ?? []) {
    await hook(context);
  }
}
