import type { AuthLevel } from '../config/sign-in.ts';
import { element } from './element.ts';

const STORED_AS = 'function-key';

/** The function key or the token, if one is needed: kept by the browser for this tab, and gone with it. */
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
    // A browser cannot point at a fault in a field that is folded away.
    this.#input.addEventListener('invalid', () => {
      this.#section.open = true;
    });
  }

  /** Empty where none is used. */
  get value(): string {
    return this.#section.hidden ? '' : this.#input.value.trim();
  }

  /** The header that it is sent in. */
  get header(): readonly [name: string, value: string] | undefined {
    if (!this.value) return undefined;
    return this.#isToken ? ['authorization', `Bearer ${this.value}`] : ['x-functions-key', this.value];
  }

  /** The same for a shell, with a variable in the place of the key, which has no place in a shell's history. */
  get shellHeader(): string | undefined {
    if (!this.value) return undefined;
    return this.#isToken ? 'authorization: Bearer $TOKEN' : 'x-functions-key: $FUNCTION_KEY';
  }

  /** Brings the user to the field. */
  request(): void {
    if (this.#section.hidden) return;
    this.#section.open = true;
    this.#input.focus();
  }
}
