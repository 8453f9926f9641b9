import type { AuthLevel } from '../config/sign-in.ts';
import { element } from './element.ts';

const STORED_AS = 'function-key';

/**
 * The field for the function key or the token, if one is needed. The browser keeps its value until the tab is closed.
 */
export class FunctionKey {
  readonly #section = element('key-section', HTMLDetailsElement);
  readonly #isToken: boolean;
  readonly #input = element('key', HTMLInputElement);

  constructor(authLevel: AuthLevel, onChange: () => void) {
    this.#isToken = authLevel === 'token';
    this.#section.hidden = authLevel === 'anonymous';
    if (this.#isToken) {
      element('key-name', HTMLElement).textContent = 'Access token';
      element('key-advice', HTMLElement).textContent = 'An Entra token for this service. Kept for this tab only.';
    }
    this.#input.value = sessionStorage.getItem(STORED_AS) ?? '';
    this.#input.addEventListener('input', () => {
      if (this.value) sessionStorage.setItem(STORED_AS, this.value);
      else sessionStorage.removeItem(STORED_AS);
      onChange();
    });
    // Open the section, because a browser cannot show a fault of a hidden field.
    this.#input.addEventListener('invalid', () => {
      this.#section.open = true;
    });
  }

  /** The key or the token. Empty if none is needed or entered. */
  get value(): string {
    return this.#section.hidden ? '' : this.#input.value.trim();
  }

  /** The header that sends the key or the token; undefined if it is empty. */
  get header(): readonly [name: string, value: string] | undefined {
    if (!this.value) return undefined;
    return this.#isToken ? ['authorization', `Bearer ${this.value}`] : ['x-functions-key', this.value];
  }

  /**
   * The header for a shell command. It has a variable instead of the key, to keep the key out of the shell's history.
   */
  get shellHeader(): string | undefined {
    if (!this.value) return undefined;
    return this.#isToken ? 'authorization: Bearer $TOKEN' : 'x-functions-key: $FUNCTION_KEY';
  }

  /** Opens the section and moves the focus to the field. */
  request(): void {
    if (this.#section.hidden) return;
    this.#section.open = true;
    this.#input.focus();
  }
}
