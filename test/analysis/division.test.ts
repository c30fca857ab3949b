/** Divisions of pCPU time: laws that hold whatever the claims. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Division, type DomainClaim, type Weighed } from '../../src/analysis/division.ts';

interface DrawnDomain {
  readonly weight: number;
  /** In pCPUs; undefined: none. */
  readonly cap: number | undefined;
  readonly wantsNs: readonly number[];
  readonly rate: number;
}

const LENGTH_NS = 1000;
const drawnDomain: fc.Arbitrary<DrawnDomain> = fc.record({
  weight: fc.integer({ min: 1, max: 1024 }),
  cap: fc.option(fc.double({ min: 0.05, max: 2, noNaN: true }), { nil: undefined }),
  wantsNs: fc.array(fc.nat(LENGTH_NS), { minLength: 1, maxLength: 4 }),
  rate: fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 0.9, noNaN: true })),
});
const host = fc.record({
  domains: fc.array(drawnDomain, { minLength: 1, maxLength: 6 }),
  capacityNs: fc.nat(8 * LENGTH_NS),
  weighed: fc.constantFrom<Weighed>('domain', 'vcpu'),
});

interface Divided {
  readonly claims: readonly DomainClaim[];
  readonly wantNs: readonly number[];
  readonly rates: readonly number[];
  readonly shareNs: readonly number[];
}

function divide(domains: readonly DrawnDomain[], capacityNs: number, weighed: Weighed): Divided {
  let from = 0;
  const claims = domains.map(({ weight, cap, wantsNs, rate }, dom): DomainClaim => {
    const to = from + wantsNs.length;
    const claim = { dom, from, to, weight, cap: cap ?? Number.POSITIVE_INFINITY, isReserved: rate > 0 };
    from = to;
    return claim;
  });
  const wantNs = domains.flatMap(({ wantsNs }) => wantsNs);
  const rates = domains.flatMap(({ wantsNs, rate }) => wantsNs.map(() => rate));
  const shareNs = new Float64Array(wantNs.length);
  const division = new Division(claims, Float64Array.from(rates), weighed);
  division.divide(capacityNs, LENGTH_NS, Float64Array.from(wantNs), shareNs);
  return { claims, wantNs, rates, shareNs: [...shareNs] };
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const CLOSE = 1e-6;

describe('a division', () => {
  test('gives nobody more than it wants or may have, and no more than there is', () => {
    fc.assert(
      fc.property(host, ({ domains, capacityNs, weighed }) => {
        const { claims, wantNs, rates, shareNs } = divide(domains, capacityNs, weighed);
        expect(total(shareNs)).toBeLessThanOrEqual(capacityNs + CLOSE);
        for (const [vcpu, ns] of shareNs.entries()) {
          expect(ns).toBeGreaterThanOrEqual(0);
          const limitNs = rates[vcpu] > 0 ? rates[vcpu] * LENGTH_NS : Number.POSITIVE_INFINITY;
          expect(ns).toBeLessThanOrEqual(Math.min(wantNs[vcpu], limitNs) + CLOSE);
        }
        for (const { from, to, cap, isReserved } of claims) {
          if (!isReserved)
            expect(total(shareNs.slice(from, to))).toBeLessThanOrEqual(cap * LENGTH_NS + CLOSE);
        }
      }),
    );
  });

  test('leaves nothing while somebody could use it', () => {
    fc.assert(
      fc.property(host, ({ domains, capacityNs, weighed }) => {
        const { shareNs } = divide(domains, capacityNs, weighed);
        const usable = domains.map(({ wantsNs, rate, cap = Number.POSITIVE_INFINITY }) => {
          if (rate > 0) return total(wantsNs.map((ns) => Math.min(ns, rate * LENGTH_NS)));
          return Math.min(total(wantsNs), cap * LENGTH_NS);
        });
        expect(total(shareNs)).toBeCloseTo(Math.min(capacityNs, total(usable)), 5);
      }),
    );
  });

  test('meets reservations first, as long as there is enough for them', () => {
    fc.assert(
      fc.property(host, ({ domains, capacityNs, weighed }) => {
        const { wantNs, rates, shareNs } = divide(domains, capacityNs, weighed);
        const reservedNs = wantNs.map((ns, vcpu) => Math.min(ns, rates[vcpu] * LENGTH_NS));
        fc.pre(total(reservedNs) <= capacityNs);
        for (const [vcpu, rate] of rates.entries()) {
          if (rate > 0) expect(shareNs[vcpu]).toBeCloseTo(reservedNs[vcpu], 6);
        }
      }),
    );
  });

  test('is by the weights of domains, or of their vCPUs', () => {
    const domains = [
      { weight: 256, cap: undefined, wantsNs: [900, 900, 900], rate: 0 },
      { weight: 256, cap: undefined, wantsNs: [900], rate: 0 },
    ];
    expect(divide(domains, 1200, 'domain').shareNs).toEqual([200, 200, 200, 600]);
    expect(divide(domains, 1200, 'vcpu').shareNs).toEqual([300, 300, 300, 300]);
    const capped = [{ ...domains[0], cap: 0.3 }, domains[1]];
    expect(divide(capped, 1200, 'vcpu').shareNs).toEqual([100, 100, 100, 900]);
  });

  test('cuts reservations in proportion where there are more than pCPUs', () => {
    const domain = (rate: number) => ({ weight: 256, cap: undefined, wantsNs: [1000], rate });
    const { shareNs } = divide([domain(0.6), domain(0.9), domain(0)], 1000, 'domain');
    expect(shareNs[0]).toBeCloseTo(400, 9);
    expect(shareNs[1]).toBeCloseTo(600, 9);
    expect(shareNs[2]).toBe(0);
  });
});
