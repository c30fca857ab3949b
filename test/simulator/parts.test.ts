/** The simulator's building blocks, each against a slower way of saying the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cpumask } from '../../src/simulator/cpumask.ts';
import { Link } from '../../src/simulator/linked-list.ts';
import { Timers } from '../../src/simulator/timers.ts';
import { Topology } from '../../src/simulator/topology.ts';
import { tscTicks } from '../../src/simulator/tsc.ts';
import { hostOf } from './scenarios.ts';

describe('Cpumask', () => {
  const size = 70;
  const members = fc.uniqueArray(fc.nat(size - 1));

  test('is a set of numbers', () => {
    fc.assert(
      fc.property(members, members, fc.integer({ min: -1, max: size - 1 }), (a, b, from) => {
        const sorted = a.toSorted((x, y) => x - y);
        const inB = new Set(b);
        const maskA = Cpumask.of(size, a);
        const maskB = Cpumask.of(size, b);
        const out = new Cpumask(size);
        expect(list(maskA)).toEqual(sorted);
        expect(maskA.weight()).toBe(a.length);
        expect(maskA.isEmpty()).toBe(a.length === 0);
        expect(maskA.next(from)).toBe(sorted.find((pcpu) => pcpu > from) ?? size);
        expect(maskA.cycle(from)).toBe(sorted.find((pcpu) => pcpu > from) ?? sorted[0] ?? size);
        expect(maskA.isSubsetOf(maskB)).toBe(a.every((pcpu) => inB.has(pcpu)));
        expect(maskA.intersects(maskB)).toBe(a.some((pcpu) => inB.has(pcpu)));
        out.and(maskA, maskB);
        expect(list(out)).toEqual(sorted.filter((pcpu) => inB.has(pcpu)));
        out.andNot(maskA, maskB);
        expect(list(out)).toEqual(sorted.filter((pcpu) => !inB.has(pcpu)));
        out.or(maskA, maskB);
        expect(list(out)).toEqual([...new Set([...a, ...b])].toSorted((x, y) => x - y));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  function list(mask: Cpumask): number[] {
    return Array.from({ length: size }, (_, pcpu) => pcpu).filter((pcpu) => mask.has(pcpu));
  }
});

describe('Link', () => {
  test('inserts before and after, and is alone once removed', () => {
    const head = new Link<string>();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Link(name));
    a!.insertBefore(head);
    c!.insertAfter(a!);
    b!.insertBefore(c!);
    const forth: unknown[] = [];
    for (let at = head.next; at !== head; at = at.next) forth.push(at.owner);
    const back: unknown[] = [];
    for (let at = head.prev; at !== head; at = at.prev) back.push(at.owner);
    expect([forth, back]).toEqual([
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
    ]);
    for (const link of [b!, a!, c!]) link.remove();
    expect([head.isAlone, b!.isAlone]).toEqual([true, true]);
  });
});

describe('tscTicks()', () => {
  test('is the floor of the exact quotient at any frequency', () => {
    const hz = fc.oneof(
      fc.integer({ min: 1, max: 6_000_000_000 }),
      fc.constantFrom(1e9, 2_400_000_000, 2_399_999_999),
    );
    const ns = fc.oneof(
      fc.nat(),
      fc
        .maxSafeInteger()
        .map(Math.abs)
        .map((value) => value % 1_000_000_000_000_000),
    );
    fc.assert(
      fc.property(ns, hz, (t, frequency) => {
        expect(BigInt(tscTicks(t, frequency))).toBe((BigInt(t) * BigInt(frequency)) / 1_000_000_000n);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('Topology', () => {
  test('numbers threads first, then cores, then sockets, and spreads the sockets over the nodes', () => {
    const topology = new Topology(
      hostOf({ pcpus: 16, sockets: 4, coresPerSocket: 2, threadsPerCore: 2, nodes: 2 }),
    );
    expect(Array.from(topology.coreOf).join('')).toBe('0011001100110011');
    expect(Array.from(topology.socketOf).join('')).toBe('0000111122223333');
    expect(Array.from(topology.nodeOf).join('')).toBe('0000000011111111');
    expect(topology.siblings[6]!.first()).toBe(6);
    expect(topology.siblings[6]!.weight()).toBe(2);
    expect(topology.socketMates[13]!.first()).toBe(12);
    expect(topology.ofNode[1]!.first()).toBe(8);
  });
});

describe('Timers', () => {
  function run(timers: Timers, untilNs: number): void {
    for (let now = timers.nextNs; now < untilNs; now = timers.nextNs) {
      const pcpu = timers.nextPcpu;
      for (let timer = timers.takeExpired(pcpu, now); timer; timer = timers.takeExpired(pcpu, now))
        timer.fire(timer.data);
    }
  }

  test('fire on the lowest pCPU first, there by expiry and then by arming', () => {
    const timers = new Timers();
    const fired: number[] = [];
    const [a, b, c, d] = [1, 0, 1, 0].map((pcpu, index) =>
      timers.init((data) => fired.push(data), index, pcpu),
    );
    for (const timer of [d!, c!, b!, a!]) timers.set(timer, 10, 0);
    timers.set(c!, 10, 0);
    run(timers, 20);
    expect(fired).toEqual([3, 1, 0, 2]);
  });

  test('one that is set to the past fires at once, and before those of the present', () => {
    const timers = new Timers();
    const fired: string[] = [];
    const present = timers.init(() => fired.push('present'), 0, 0);
    const past = timers.init(() => fired.push('past'), 0, 0);
    timers.set(present, 50, 50);
    timers.set(past, 10, 50);
    expect(timers.nextNs).toBe(50);
    run(timers, 51);
    expect(fired).toEqual(['past', 'present']);
  });

  test('a pCPU runs all its expired timers before a lower one that was armed meanwhile', () => {
    const timers = new Timers();
    const fired: string[] = [];
    const low = timers.init(() => fired.push('low'), 0, 0);
    const first = timers.init(
      () => {
        fired.push('first');
        timers.set(low, 5, 5);
      },
      0,
      1,
    );
    const second = timers.init(() => fired.push('second'), 0, 1);
    timers.set(first, 5, 0);
    timers.set(second, 5, 0);
    run(timers, 6);
    expect(fired).toEqual(['first', 'second', 'low']);
  });

  test('stopped and killed ones do not fire, migrated ones fire elsewhere', () => {
    const timers = new Timers();
    const fired: number[] = [];
    const all = [0, 1, 2].map((index) => timers.init((data) => fired.push(data), index, 0));
    for (const timer of all) timers.set(timer, 7, 0);
    timers.stop(all[0]!);
    timers.kill(all[1]!);
    timers.set(all[1]!, 8, 0);
    timers.migrate(all[2]!, 3, 0);
    expect([timers.nextPcpu, timers.isActive(all[0]!), timers.isActive(all[2]!)]).toEqual([3, false, true]);
    run(timers, 100);
    expect(fired).toEqual([2]);
  });

  test("jitter is the reference machine's", () => {
    // The frame boundaries of the ARINC653 reference runs with U[0, 500 us) and seed 1 are late by these,
    // after one draw for an arming that was superseded; with 20 us and seed 22 the first one is late by 19555
    // ns.
    const lateness = (jitterNs: number, seed: number, draws: number): number[] => {
      const timers = new Timers();
      timers.setJitter(jitterNs, seed);
      const timer = timers.init(() => undefined, 0, 0);
      return Array.from({ length: draws }, () => {
        timers.set(timer, 1_000_000, 0);
        return timers.nextNs - 1_000_000;
      });
    };
    expect(lateness(500_000, 1, 4).slice(1)).toEqual([421074, 29570, 488601]);
    expect(lateness(20_000, 22, 2)[1]).toBe(19555);
  });
});
