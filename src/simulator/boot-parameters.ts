import { assert } from '../base/assert.ts';
import { BOOT_PARAMETERS } from '../scenario/boot-parameters.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** The command line that the simulated Xen was booted with: what the scenario gives, and Xen's defaults. */
export class BootParameters {
  readonly #given: Scenario['params'];

  constructor(given: Scenario['params']) {
    this.#given = given;
  }

  /** Xen's integer_param() */
  integer(name: string): number {
    const value = this.#value(name);
    assert(
      typeof value === 'number' && Number.isInteger(value),
      `boot parameter ${name} is a whole number, not ${value}`,
    );
    return value;
  }

  /** Xen's boolean_param(); 0 and 1 count as false and true. */
  boolean(name: string): boolean {
    const value = this.#value(name);
    assert(
      typeof value === 'boolean' || value === 0 || value === 1,
      `boot parameter ${name} is yes or no, not ${value}`,
    );
    return value === true || value === 1;
  }

  /** Xen's custom_param() and string_param() */
  text(name: string): string {
    const value = this.#value(name);
    assert(typeof value === 'string', `boot parameter ${name} is a word, not ${value}`);
    return value;
  }

  #value(name: string): number | string | boolean {
    const definition = BOOT_PARAMETERS.find((parameter) => parameter.name === name);
    assert(definition !== undefined, `${name} is no boot parameter`);
    return this.#given[name] ?? definition.default;
  }
}
