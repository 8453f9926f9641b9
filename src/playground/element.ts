/**
 * Returns the element with this id.
 * @throws {Error} if page.html has no such element of this type, which is a mistake in page.html
 */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`page.html has no ${type.name} #${id}`);
}

/** Creates an element with a class and content. Strings become text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content);
  return made;
}

/** Shows an element with this text, or hides it if there is no text. */
export function tell(where: HTMLElement, text: string | undefined): void {
  where.textContent = text ?? '';
  where.hidden = !text;
}
