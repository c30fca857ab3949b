import { describe, expect, test } from 'vitest';
import { ExactStretches, type Stretch } from '../../src/page/exact-stretches.ts';

const RUNNABLE = 1;
const MS = 1_000_000;

interface Given {
  readonly vcpu: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** vCPU 0 has an interval each ms, vCPU 1 one each 100 ms; one of vCPU 0 is a long wait. In the order of ends. */
function intervals(count: number, longAt: number): Given[] {
  const all: Given[] = [];
  let now = 0;
  for (let index = 0; index < count; index++) {
    const ns = index === longAt ? 50 * MS : MS;
    all.push({ vcpu: 0, startNs: now, endNs: now + ns });
    now += ns;
  }
  for (let startNs = 0; startNs < now; startNs += 100 * MS)
    all.push({ vcpu: 1, startNs, endNs: startNs + 100 * MS });
  return all.sort((a, b) => a.endNs - b.endNs);
}

function gather(given: readonly Given[], limits: { rowsMax?: number; stretchRows?: number }): ExactStretches {
  const exact = new ExactStretches(0, limits);
  for (const { vcpu, startNs, endNs } of given)
    exact.addInterval(vcpu, RUNNABLE, 0, startNs, endNs, vcpu === 0);
  return exact;
}

function told({ intervals: { columns, count } }: Stretch): string[] {
  return Array.from(
    { length: count },
    (_, row) => `${columns.vcpu[row]} ${columns.startNs[row]}-${columns.endNs[row]}`,
  ).sort();
}

function touching({ fromNs, toNs }: Stretch, given: readonly Given[]): string[] {
  return given
    .filter(({ startNs, endNs }) => startNs < toNs && endNs > fromNs)
    .map(({ vcpu, startNs, endNs }) => `${vcpu} ${startNs}-${endNs}`)
    .sort();
}

describe('ExactStretches', () => {
  test('a stretch has every interval that touches it, also those that end long after it', () => {
    const given = intervals(1000, 300);
    const stretches = gather(given, { stretchRows: 50 }).finish(given.at(-1)!.endNs, 1e6);
    expect(stretches.length).toBeGreaterThan(15);
    for (const stretch of stretches) expect(told(stretch)).toEqual(touching(stretch, given));
    for (const [index, { fromNs }] of stretches.slice(1).entries()) {
      expect(fromNs).toBe(stretches[index].toNs);
    }
  });

  test('when memory is full, the first stretch and the longest wait stay', () => {
    const given = intervals(5000, 2500);
    const long = given.find(({ endNs, startNs, vcpu }) => vcpu === 0 && endNs - startNs > MS)!;
    const stretches = gather(given, { stretchRows: 50, rowsMax: 500 }).finish(given.at(-1)!.endNs, 1e6);
    const rows = stretches.reduce((sum, stretch) => sum + stretch.rows, 0);
    expect(rows).toBeLessThan(700);
    expect(stretches[0].fromNs).toBe(0);
    const holding = stretches.filter(({ fromNs, toNs }) => fromNs < long.endNs && toNs > long.startNs);
    expect(holding.length).toBeGreaterThan(0);
    for (const stretch of stretches) expect(told(stretch)).toEqual(touching(stretch, given));
  });

  test('the page gets no more than it has room for: the worst, and others over all of the trace', () => {
    const given = intervals(5000, 2500);
    const endNs = given.at(-1)!.endNs;
    const stretches = gather(given, { stretchRows: 50 }).finish(endNs, 1000);
    expect(stretches.reduce((sum, stretch) => sum + stretch.rows, 0)).toBeLessThanOrEqual(1000);
    expect(stretches[0].fromNs).toBe(0);
    expect(stretches.some(({ interest }) => interest === 50 * MS)).toBe(true);
    expect(stretches.at(-1)!.fromNs).toBeGreaterThan(0.6 * endNs);
  });

  test('parts of waits and marks go where they belong, told ahead of the intervals or late', () => {
    const given = intervals(400, 399);
    const exact = new ExactStretches(0, { stretchRows: 50 });
    exact.addMark(3, 0, 7 * MS, 42);
    exact.addMark(3, 0, 250 * MS, 43);
    for (const { vcpu, startNs, endNs } of given.slice(0, 200))
      exact.addInterval(vcpu, RUNNABLE, 0, startNs, endNs, true);
    exact.addPart(0, 10 * MS, 11 * MS, 1, 2, MS);
    exact.addPart(0, 60 * MS, 380 * MS, 1, 2, 320 * MS);
    for (const { vcpu, startNs, endNs } of given.slice(200))
      exact.addInterval(vcpu, RUNNABLE, 0, startNs, endNs, true);
    const stretches = exact.finish(given.at(-1)!.endNs, 1e6);
    const at = (tNs: number) => stretches.find(({ fromNs, toNs }) => fromNs <= tNs && tNs < toNs)!;
    expect(at(7 * MS).marks.columns.value[0]).toBe(42);
    expect(at(250 * MS).marks.columns.value[0]).toBe(43);
    expect(stretches.reduce((sum, { marks }) => sum + marks.count, 0)).toBe(2);
    expect(at(10 * MS).parts.columns.ns[0]).toBe(MS);
    const withLong = stretches.filter(({ parts }) =>
      parts.columns.ns.subarray(0, parts.count).includes(320 * MS),
    );
    expect(withLong).toEqual(stretches.filter(({ fromNs, toNs }) => fromNs < 380 * MS && toNs > 60 * MS));
  });
});
