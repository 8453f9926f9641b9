import { element } from './element.ts';

const SHOWN_MS = 2000;

/** Lets the buttons with `data-copies` copy the text of the element that they name. */
export function wireCopyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copies]')) {
    button.addEventListener('click', () => void copyAndSay(button));
  }
}

async function copyAndSay(button: HTMLButtonElement): Promise<void> {
  button.textContent = await copy(element(button.dataset['copies'] ?? '', HTMLPreElement));
  setTimeout(() => (button.textContent = 'Copy'), SHOWN_MS);
}

async function copy(source: HTMLElement): Promise<string> {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return 'Copied';
  } catch {
    // Refused, or a page that did not come over https: the next best is one key away.
    getSelection()?.selectAllChildren(source);
    return 'Press Ctrl C';
  }
}
