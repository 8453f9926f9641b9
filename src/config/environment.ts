/** One thing wrong with the settings. */
export interface SettingFault {
  readonly setting: string;
  /** What is wrong and how to mend it, as the rest of a sentence that begins with the setting's name. */
  readonly fault: string;
}

/** All that is wrong with the settings, in one error, so that nobody mends them one restart at a time. */
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
 * Reads typed values from environment variables and collects what is wrong instead of stopping at it.
 * A blank variable counts as unset: an app setting in the portal is easier to empty than to remove.
 */
export class Environment {
  readonly faults: SettingFault[] = [];
  readonly #variables: Readonly<Record<string, string | undefined>>;

  constructor(variables: Readonly<Record<string, string | undefined>>) {
    this.#variables = variables;
  }

  /** The first of these variables that is set, with the name that it was found under. */
  find(...names: readonly string[]): { readonly name: string; readonly value: string } | undefined {
    for (const name of names) {
      const value = this.#variables[name]?.trim();
      if (value) return { name, value };
    }
    return undefined;
  }

  text(name: string): string | undefined {
    return this.find(name)?.value;
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const found = this.text(name);
    if (found === undefined) return fallback;
    const value = Number(found);
    if (/^\d+$/.test(found) && value >= min && value <= max) return value;
    this.fault(name, `must be a whole number from ${min} to ${max} (default ${fallback}).`);
    return fallback;
  }

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

  fault(setting: string, fault: string): void {
    this.faults.push({ setting, fault });
  }
}
