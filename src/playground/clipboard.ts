import { element } from './element.ts';

const SHOWN_MS = 2000;

/** Makes each button with `data-copies` copy the text of the element with that id. */
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
    // The user refused, or the page did not come over https. Select the text instead, so that one key copies it.
    getSelection()?.selectAllChildren(source);
    return 'Press Ctrl C';
  }
}
