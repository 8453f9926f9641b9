/**
 * The module `@azure/functions-core` for the app. In Azure, the language worker provides it. It is in no package, and
 * without it `@azure/functions` only warns and registers nothing.
 */
import type { LogLevel } from '../start/log.ts';
import {
  type FunctionCallback,
  type FunctionMetadata,
  type HookCallback,
  hookNames,
  type ProgrammingModel,
  registry,
} from './registry.ts';

/** The version of the language worker that this module replaces. */
export const version = '3.13.0';

/** The version of the host that this module replaces. HTTP streams need 4.28 or newer. */
export const hostVersion = '4.1040.0';

/** Removes a registration when it is disposed. */
export class Disposable {
  readonly #undo: () => void;

  constructor(undo: () => void) {
    this.#undo = undo;
  }

  dispose(): void {
    this.#undo();
  }
}

/** Registers the library's interface. The library calls this when the app registers its first function. */
export function setProgrammingModel(model: ProgrammingModel): void {
  registry.model = model;
}

/** Returns the registered interface of the library. */
export function getProgrammingModel(): ProgrammingModel | undefined {
  return registry.model;
}

/**
 * Registers a function of the app.
 * @throws {Error} if another function has the same name
 */
export function registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  if (registry.functions.has(metadata.name)) {
    throw new Error(`Two functions are called '${metadata.name}'. Give one of them another name.`);
  }
  registry.functions.set(metadata.name, { metadata, callback });
  return new Disposable(() => registry.functions.delete(metadata.name));
}

/**
 * Registers a hook of the app.
 * @throws {RangeError} if this host does not run hooks with this name
 */
export function registerHook(name: string, callback: HookCallback): Disposable {
  const known = hookNames.find((hook) => hook === name);
  if (!known) {
    throw new RangeError(`The local host does not run '${name}' hooks, only ${hookNames.join(', ')}.`);
  }
  const hooks = registry.hooks.get(known);
  hooks?.add(callback);
  return new Disposable(() => hooks?.delete(callback));
}

/** Logs an entry of the library. */
export function log(level: LogLevel, category: string, message: string): void {
  registry.log(level, category, message);
}
