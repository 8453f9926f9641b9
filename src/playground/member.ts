/** A member of something that came as JSON and may be anything. */
export function member(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
}

/** The same, where it is a text. */
export function text(from: unknown, name: string): string | undefined {
  const value = member(from, name);
  return typeof value === 'string' ? value : undefined;
}

/** The same, where it is a number. */
export function number(from: unknown, name: string): number | undefined {
  const value = member(from, name);
  return typeof value === 'number' ? value : undefined;
}
