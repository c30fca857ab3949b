import { assert } from './assert.ts';

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;
const MASK_64 = (1n << 64n) - 1n;
/** The largest mean for which no draw can leave the exact integers: ln(2^53) is below 37. */
export const EXPONENTIAL_MEAN_NS_MAX = Math.floor(TWO_53 / 37);

/**
 * A stream of random integers that is the same on every machine and every version of Node.
 *
 * The generator is xoshiro128** 1.1 (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c),
 * seeded with two outputs of SplitMix64 as its authors advise. A stream is a pure function of its seed and
 * its name: `fork` does not look at how much was drawn, and drawing does not disturb the forks. So a domain
 * that is added to a scenario leaves the random draws of all others as they were.
 *
 * Not for secrets.
 */
export class Prng {
  readonly #seed: bigint;
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;

  private constructor(seed: bigint) {
    this.#seed = seed;
    const first = mixSplitMix64((seed + SPLITMIX_GAMMA) & MASK_64);
    const second = mixSplitMix64((seed + 2n * SPLITMIX_GAMMA) & MASK_64);
    this.#s0 = Number(first & 0xffffffffn) | 0;
    this.#s1 = Number(first >> 32n) | 0;
    this.#s2 = Number(second & 0xffffffffn) | 0;
    this.#s3 = Number(second >> 32n) | 0;
    // Two distinct inputs of a bijection cannot both give zero, so the all-zero state, a fixed point, never
    // occurs.
  }

  /** The root stream of `seed`, an integer from 0 to 2^53 - 1. */
  static fromSeed(seed: number): Prng {
    assert(Number.isSafeInteger(seed) && seed >= 0, `a seed is an integer from 0 to 2^53 - 1, not ${seed}`);
    return new Prng(BigInt(seed));
  }

  /**
   * A stream in the given state, for comparison with the reference implementation only. It cannot be forked
   * usefully.
   */
  static fromState(s0: number, s1: number, s2: number, s3: number): Prng {
    const prng = new Prng(0n);
    prng.#s0 = s0 | 0;
    prng.#s1 = s1 | 0;
    prng.#s2 = s2 | 0;
    prng.#s3 = s3 | 0;
    return prng;
  }

  /**
   * The substream `name` of this stream, e.g. `prng.fork('web/vcpu0/arrivals')`: the same whatever was
   * drawn before. Names fork, paths do not: `fork('a').fork('b')` is not `fork('a/b')`.
   */
  fork(name: string): Prng {
    let hash = FNV_OFFSET;
    for (let shift = 0n; shift < 64n; shift += 8n) hash = fnv1a(hash, (this.#seed >> shift) & 0xffn);
    for (const byte of new TextEncoder().encode(name)) hash = fnv1a(hash, BigInt(byte));
    return new Prng(mixSplitMix64(hash));
  }

  /** Uniform over 0 to 2^32 - 1. */
  u32(): number {
    const s1 = this.#s1;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const s2 = this.#s2 ^ this.#s0;
    const s3 = this.#s3 ^ s1;
    this.#s1 = s1 ^ s2;
    this.#s0 ^= s3;
    this.#s2 = s2 ^ (s1 << 9);
    this.#s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** Uniform over 0 to 2^53 - 1; two calls of `u32`, the upper 21 bits first. */
  u53(): number {
    const high = this.u32() >>> 11;
    return high * TWO_32 + this.u32();
  }

  /**
   * Uniform over the integers 0 to n - 1, without bias; n from 1 to 2^53. Draws again until the value fits.
   */
  below(n: number): number {
    assert(
      Number.isInteger(n) && n >= 1 && n <= TWO_53,
      `below(n) takes an integer from 1 to 2^53, not ${n}`,
    );
    if (n <= TWO_32) {
      const limit = TWO_32 - (TWO_32 % n);
      let value = this.u32();
      while (value >= limit) value = this.u32();
      return value % n;
    }
    const limit = TWO_53 - (TWO_53 % n);
    let value = this.u53();
    while (value >= limit) value = this.u53();
    return value % n;
  }

  /** Uniform over the integers `minNs` to `maxNs`, both included. */
  uniformNs(minNs: number, maxNs: number): number {
    assert(
      Number.isSafeInteger(minNs) && Number.isSafeInteger(maxNs) && minNs <= maxNs,
      `a range of integers runs from its least to its greatest, not from ${minNs} to ${maxNs}`,
    );
    return minNs + this.below(maxNs - minNs + 1);
  }

  /**
   * Exponentially distributed with mean `meanNs`, rounded to the nearest integer and at least 1: an arrival
   * at no distance from the last one, or a burst of no length, would be no event. By inversion, -mean *
   * ln(u) with u uniform over 2^-53 to 1, so that Math.log is the only function of the platform that is
   * involved (its results are the same on all versions of Node; those of Math.pow are not).
   */
  exponentialNs(meanNs: number): number {
    assert(
      meanNs > 0 && meanNs <= EXPONENTIAL_MEAN_NS_MAX,
      `an exponential mean lies above 0 and at most at ${EXPONENTIAL_MEAN_NS_MAX} ns, not at ${meanNs}`,
    );
    const u = (this.u53() + 1) / TWO_53;
    return Math.max(1, Math.round(-meanNs * Math.log(u)));
  }
}

const SPLITMIX_GAMMA = 0x9e3779b97f4a7c15n;
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** The output function of SplitMix64 (Steele, Lea and Flood 2014): a bijection of the 64-bit numbers. */
function mixSplitMix64(state: bigint): bigint {
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64;
  return z ^ (z >> 31n);
}

/** One step of FNV-1a with 64 bits. */
function fnv1a(hash: bigint, byte: bigint): bigint {
  return ((hash ^ byte) * FNV_PRIME) & MASK_64;
}
