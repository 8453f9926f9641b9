import { element } from './element.ts';

const STORED_AS = 'function-key';

/** The function key, where one is needed: kept by the browser for this tab, and gone with it. */
export class FunctionKey {
  readonly #section = element('key-section', HTMLDetailsElement);
  readonly #input = element('key', HTMLInputElement);

  constructor(authLevel: 'function' | 'anonymous', onChange: () => void) {
    this.#section.hidden = authLevel === 'anonymous';
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

  /** Brings the user to the field. */
  request(): void {
    if (this.#section.hidden) return;
    this.#section.open = true;
    this.#input.focus();
  }
}
