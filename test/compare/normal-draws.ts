import { Prng } from '../../src/base/prng.ts';

/** Draws from the standard normal distribution, the same every time (Box and Muller). */
export class NormalDraws {
  readonly #prng: Prng;

  constructor(name: string) {
    this.#prng = Prng.fromSeed(1).fork(name);
  }

  next(): number {
    const radius = Math.sqrt(-2 * Math.log((this.#prng.u53() + 1) / 2 ** 53));
    return radius * Math.cos((2 * Math.PI * this.#prng.u53()) / 2 ** 53);
  }

  list(count: number): number[] {
    return Array.from({ length: count }, () => this.next());
  }
}
