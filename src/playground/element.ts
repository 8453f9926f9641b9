/**
 * The element of the page with this id.
 * @throws {Error} when page.html has none of that type, which is a mistake in it
 */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`page.html has no ${type.name} #${id}`);
}

/** A new element with a class and content. Text stays text: nothing here reads it as markup. */
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

/** Shows an element with this text, or hides it where there is none. */
export function tell(where: HTMLElement, text: string | undefined): void {
  where.textContent = text ?? '';
  where.hidden = !text;
}
