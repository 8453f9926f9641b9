/** A setting that is missing or invalid. */
export interface SettingFault {
  readonly setting: string;
  /** What is wrong and how to fix it, as the rest of a sentence that starts with the setting's name. */
  readonly fault: string;
}

/** Lists every invalid setting at once, so that you can fix them all before you restart. */
export class SettingsError extends Error {
  readonly faults: readonly SettingFault[];

  constructor(faults: readonly SettingFault[]) {
    const lines = faults.map(({ setting, fault }) => `  ${setting} ${fault}`);
    super(`The settings need attention:\n${lines.join('\n')}`);
    this.name = 'SettingsError';
    this.faults = faults;
  }
}

/**
 * Reads typed values from environment variables. It collects faults instead of throwing at the first one.
 * A blank variable counts as unset, because in the portal it is easier to empty an app setting than to remove it.
 */
export class Environment {
  readonly faults: SettingFault[] = [];
  readonly #variables: Readonly<Record<string, string | undefined>>;

  constructor(variables: Readonly<Record<string, string | undefined>>) {
    this.#variables = variables;
  }

  /** Finds the first of these variables that is set. White space around the value is removed. */
  find(...names: readonly string[]): { readonly name: string; readonly value: string } | undefined {
    for (const name of names) {
      const value = this.#variables[name]?.trim();
      if (value) return { name, value };
    }
    return undefined;
  }

  /** Reads a variable as text. White space around it is removed. */
  text(name: string): string | undefined {
    return this.find(name)?.value;
  }

  /** Reads a whole number from `min` to `max`. Adds a fault and returns the fallback if the value is anything else. */
  integer(name: string, fallback: number, min: number, max: number): number {
    const found = this.text(name);
    if (found === undefined) return fallback;
    const value = Number(found);
    if (/^\d+$/.test(found) && value >= min && value <= max) return value;
    this.fault(name, `must be a whole number from ${min} to ${max} (default ${fallback}).`);
    return fallback;
  }

  /** Reads one of the given values; case matters. Adds a fault and returns the fallback if it is anything else. */
  oneOf<const T extends string, Fallback extends T | undefined>(
    name: string,
    values: readonly T[],
    fallback: Fallback,
  ): T | Fallback {
    const found = this.text(name);
    if (found === undefined) return fallback;
    const value = values.find((candidate) => candidate === found);
    if (value) return value;
    this.fault(name, `must be one of: ${values.join(', ')}.`);
    return fallback;
  }

  /** Adds a fault. `fault` is the rest of a sentence that starts with the setting's name. */
  fault(setting: string, fault: string): void {
    this.faults.push({ setting, fault });
  }
}
