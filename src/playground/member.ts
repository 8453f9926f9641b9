/** Returns a member of parsed JSON, which may be of any type. */
export function member(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
}

/** Returns a member if it is a string. */
export function text(from: unknown, name: string): string | undefined {
  const value = member(from, name);
  return typeof value === 'string' ? value : undefined;
}

/** Returns a member if it is a number. */
export function number(from: unknown, name: string): number | undefined {
  const value = member(from, name);
  return typeof value === 'number' ? value : undefined;
}
