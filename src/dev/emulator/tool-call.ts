import { randomUUID } from 'node:crypto';

/** A function that the caller offers to the model. */
export interface Tool {
  readonly name: string;
  /** A JSON Schema of its arguments. */
  readonly parameters: object;
}

/** What decides whether the model calls a tool. */
export interface Circumstances {
  readonly choice: 'none' | 'auto' | 'required' | { readonly name: string } | null | undefined;
  readonly question: string;
  /** Whether the last thing that the model was told is a tool's result. */
  readonly hasResult: boolean;
}

/**
 * The tool that the emulated model calls: the one that it has to, or one that the question names, unless it has just been
 * told a result. A model decides for itself; this one can be foreseen.
 */
export function pickTool(tools: readonly Tool[], { choice, question, hasResult }: Circumstances): Tool | undefined {
  if (choice instanceof Object) return tools.find(({ name }) => name === choice.name);
  if (choice === 'required') return tools[0];
  if (choice === 'none' || hasResult) return undefined;
  return tools.find(({ name }) => question.includes(name));
}

/** A new id of a call. */
export function callId(): string {
  return `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}
