import { randomUUID } from 'node:crypto';

/** A function that the caller offers to the model. */
export interface Tool {
  readonly name: string;
  /** A JSON Schema of its arguments. */
  readonly parameters: object;
}

/** What decides which tool the model calls. */
export interface ToolContext {
  readonly choice: 'none' | 'auto' | 'required' | { readonly name: string } | null | undefined;
  readonly question: string;
  /** Whether the last message is a tool's result. */
  readonly hasResult: boolean;
}

/**
 * Returns the tool that the emulated model calls: a required one, or else one that the question names, unless the last
 * message is a result. A real model decides for itself; this one is predictable.
 */
export function pickTool(tools: readonly Tool[], { choice, question, hasResult }: ToolContext): Tool | undefined {
  if (choice instanceof Object) return tools.find(({ name }) => name === choice.name);
  if (choice === 'required') return tools[0];
  if (choice === 'none' || hasResult) return undefined;
  return tools.find(({ name }) => question.includes(name));
}

/** Creates an id for a call. */
export function callId(): string {
  return `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}
