import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closestWord, editDistance } from '../../src/base/closest-word.ts';

describe('closestWord', () => {
  const keys = ['id', 'name', 'weight', 'cap', 'vcpus', 'sched_credit_tslice_ms', 'sched_ratelimit_us'];

  it.each([
    ['wieght', 'weight'],
    ['Weight', 'weight'],
    ['weigth', 'weight'],
    ['vcpu', 'vcpus'],
    ['sched-credit-tslice-ms', 'sched_credit_tslice_ms'],
    ['sched_ratelimit', 'sched_ratelimit_us'],
    ['caps', 'cap'],
    ['sched_cred', 'sched_credit_tslice_ms'],
  ])('takes %j for %j', (word, meant) => {
    expect(closestWord(word, keys)).toBe(meant);
  });

  it.each(['zebra', 'x', '', 'q', 'temperature'])('knows nothing near %j', (word) => {
    expect(closestWord(word, keys)).toBeUndefined();
  });

  it('is not slowed by a word of any length', () => {
    expect(closestWord('w'.repeat(1_000_000), keys)).toBeUndefined();
  });
});

describe('editDistance', () => {
  it('counts an exchange of neighbours as one mistake', () => {
    expect(editDistance('wieght', 'weight')).toBe(1);
    expect(editDistance('ca', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('is symmetric, zero only for equals, and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
