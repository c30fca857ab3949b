/** Sizes of servers: the periodic resource model's own vectors, and servers of RTDS that serve what they are sized for. */
import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/index.ts';
import { simulate } from '../../src/simulator/index.ts';
import {
  drawTaskSet,
  leastBudgetNs,
  type ScenarioPlan,
  supplyBoundNs,
  worstFit,
  writeTaskSetScenario,
} from '../../src/tasksets/index.ts';
import { MemorySink } from '../simulator/memory-sink.ts';

const MS = 1_000_000;
const task = (periodMs: number, wcetMs: number, deadlineMs = periodMs) => ({
  periodNs: periodMs * MS,
  wcetNs: wcetMs * MS,
  deadlineNs: deadlineMs * MS,
});

describe('the supply bound of the periodic resource model (reference: experiments.md 2.4)', () => {
  test('period 5, budget 3', () => {
    const supply = Array.from({ length: 16 }, (_, t) => supplyBoundNs(t, 3, 5));
    expect(supply).toEqual([0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6, 7]);
  });

  test('period 10, budget 4', () => {
    expect([12, 13, 16, 22, 26, 32].map((t) => supplyBoundNs(t, 4, 10))).toEqual([0, 1, 4, 4, 8, 8]);
  });
});

describe('the least budget', () => {
  test('of one task by hand: for 2 ms within 10 ms, a server of 5 ms needs 2 ms', () => {
    // sbf(10) = Q + max(0, 2 Q - 5), as the longest gap is 2 (5 - Q).
    for (const scheduler of ['edf', 'rm', 'dm'] as const) {
      expect(leastBudgetNs([task(10, 2)], 5 * MS, scheduler)).toBe(2 * MS);
      expect(leastBudgetNs([task(10, 4)], 5 * MS, scheduler)).toBe(3 * MS);
    }
  });

  test('is the whole period where tasks need all, and none where they need more', () => {
    expect(leastBudgetNs([task(10, 5), task(20, 10)], 5 * MS, 'edf')).toBe(5 * MS);
    expect(leastBudgetNs([task(10, 5), task(20, 11)], 5 * MS, 'edf')).toBeUndefined();
    // Liu and Layland: U = 0.97 fits under EDF and not under RM.
    expect(leastBudgetNs([task(10, 5), task(14, 6.6)], 1 * MS, 'edf')).toBeDefined();
    expect(leastBudgetNs([task(10, 5), task(14, 6.6)], 1 * MS, 'rm')).toBeUndefined();
  });
});

test('worst fit spreads the load', () => {
  expect(worstFit([task(10, 1), task(10, 5), task(10, 4), task(10, 3)], 2)).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

const PLAN: ScenarioPlan = {
  name: 'sized',
  remarks: ['Sized.'],
  scheduler: 'rtds',
  guestScheduler: 'edf',
  placement: 'partitioned',
  pcpus: 2,
  domains: 2,
  vcpus: 1,
  servers: [{ periodNs: 5 * MS, budgetNs: undefined }],
  isCapped: false,
  executionFrom: 1,
  isOffset: true,
  durationNs: 2000 * MS,
  seed: 1,
};

describe('a scenario with servers of the least size', () => {
  test.each([1, 2, 3, 4, 5, 6])('misses nothing under RTDS once its servers run (seed %i)', (seed) => {
    const periods = { kind: 'uniform', minNs: 20 * MS, maxNs: 100 * MS, granularityNs: MS } as const;
    const set = { generator: 'uunifast-discard', count: 6, utilisation: 1.1, least: 0, most: 0.5 } as const;
    const guestScheduler = seed % 2 === 0 ? 'edf' : 'rm';
    const tasks = drawTaskSet({ ...set, periods, deadlineFrom: 1, seed });
    const { text, notes } = writeTaskSetScenario(tasks, { ...PLAN, guestScheduler, seed });
    expect(notes).toEqual([]);
    const scenario = parseScenario(text, 'sized.yaml');
    const due = new Map<string, number>();
    const missed: string[] = [];
    simulate(scenario, new MemorySink(2, 0), {
      // The first period of a server is Xen's own.
      onJobRelease: (tNs, dom, number, job, deadlineNs) => {
        if (tNs >= 200 * MS) due.set(`${dom}/${number}/${job}`, deadlineNs);
      },
      onJobComplete: (tNs, dom, number, job) => {
        const name = `${dom}/${number}/${job}`;
        if (tNs > (due.get(name) ?? Infinity)) missed.push(name);
        due.delete(name);
      },
    });
    const open = [...due].filter(([, deadlineNs]) => deadlineNs <= scenario.durationNs);
    expect([...missed, ...open]).toEqual([]);
  });
});
