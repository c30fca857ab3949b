import { Prng } from '../base/prng.ts';

/** Up to so many pairs every pattern of signs is looked at, 2^16; beyond, a random choice of them. */
export const EXACT_PAIRS_MAX = 16;
/** Patterns of signs that are drawn where there are too many for all. */
export const DRAWN_PATTERNS = 99_999;

/**
 * The paired permutation test: if it makes no difference which of two variants a run belongs to, then each
 * paired difference could as well have the other sign. The p-value is the part of all patterns of signs whose
 * sum of differences is at least as far from 0 as the observed one (two-sided). It assumes nothing about how
 * the differences are distributed, but that they are symmetric around 0 if there is no effect.
 *
 * With up to 16 pairs it is exact, a multiple of 2^-(n-1); beyond, 99,999 patterns are drawn and the observed
 * one counts among them, so that p is a multiple of 1/100,000 and never 0, and never too small on average
 * (Phipson and Smyth, "Permutation P-values Should Never Be Zero", Statistical Applications in Genetics and
 * Molecular Biology 9, 2010). Source of the test: Fisher, "The Design of Experiments", 1935, section 21;
 * Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005.
 */
export class SignFlipTest {
  readonly #n: number;
  /** The patterns: `words` words a pattern, one bit a pair. */
  readonly #patterns: Uint32Array;
  readonly #words: number;

  constructor(n: number) {
    this.#n = n;
    this.#words = Math.max(1, Math.ceil(n / 32));
    this.#patterns = n <= EXACT_PAIRS_MAX ? everyPattern(n) : drawnPatterns(n, this.#words);
  }

  /** The smallest p-value that n pairs can give. */
  static least(n: number): number {
    return n <= EXACT_PAIRS_MAX ? 2 / 2 ** n : 1 / (DRAWN_PATTERNS + 1);
  }

  p(differences: readonly number[]): number {
    const chunks = chunkSums(differences);
    const bytes = chunks.length;
    const size = differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
    // Sums of the same numbers in another order differ by less than this.
    const observed = Math.abs(sumOf(chunks, NO_FLIPS(this.#words), 0, bytes)) - 1e-12 * size;
    let asFar = 0;
    for (let at = 0; at < this.#patterns.length; at += this.#words) {
      if (Math.abs(sumOf(chunks, this.#patterns, at, bytes)) >= observed) asFar++;
    }
    const patterns = this.#patterns.length / this.#words;
    return this.#n <= EXACT_PAIRS_MAX ? asFar / patterns : (asFar + 1) / (patterns + 1);
  }
}

const NO_FLIPS = (words: number) => new Uint32Array(words);

/** All patterns in which the first pair keeps its sign: the others give the same sums, negated. */
function everyPattern(n: number): Uint32Array {
  return Uint32Array.from({ length: 2 ** Math.max(0, n - 1) }, (_, pattern) => pattern << 1);
}

function drawnPatterns(n: number, words: number): Uint32Array {
  const prng = Prng.fromSeed(0).fork(`sign-flip/${n}`);
  return Uint32Array.from({ length: DRAWN_PATTERNS * words }, () => prng.u32());
}

/** For each 8 pairs: the sum of their differences under each of the 256 patterns of their signs. */
function chunkSums(differences: readonly number[]): Float64Array[] {
  const chunks: Float64Array[] = [];
  for (let first = 0; first < differences.length; first += 8) {
    const own = differences.slice(first, first + 8);
    chunks.push(
      Float64Array.from({ length: 256 }, (_, pattern) =>
        own.reduce((sum, value, bit) => sum + ((pattern >> bit) & 1 ? -value : value), 0),
      ),
    );
  }
  return chunks;
}

function sumOf(chunks: readonly Float64Array[], patterns: Uint32Array, at: number, count: number): number {
  let sum = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    sum += chunks[chunk][(patterns[at + (chunk >> 2)] >>> ((chunk & 3) * 8)) & 0xff];
  }
  return sum;
}
