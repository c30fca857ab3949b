/**
 * Credit's history, change by change: what each switch of credit/version.ts does, in cases that can be
 * calculated by hand. Only 3.3 and from 4.17 on is there C code to compare with; these are between.
 */
import { describe, expect, test } from 'vitest';
import { EventCatalog } from '../../src/format/definitions.ts';
import { headerWord } from '../../src/format/record.ts';
import type { Scenario, VcpuSpec } from '../../src/scenario/scenario.ts';
import { isSinceXen, XEN_SERIES, type XenSeries } from '../../src/scenario/xen-versions.ts';
import { simulate } from '../../src/simulator/index.ts';
import {
  PRI_BOOST as BOOST,
  creditOfPcpu,
  creditOfVcpu,
  PRI_OVER as OVER,
  PRI_UNDER as UNDER,
} from '../../src/simulator/schedulers/credit/state.ts';
import type { CreditScheduler } from '../../src/simulator/schedulers/credit.ts';
import { xenVersion } from '../../src/simulator/versions.ts';
import { runScenario } from './fidelity.ts';
import { MemorySink } from './memory-sink.ts';
import { Rig } from './rig.ts';
import { fixed, hostOf, randomScenario, scenarioOf, vcpuOf } from './scenarios.ts';

const ms = 1_000_000;
const us = 1_000;
const SERIES = XEN_SERIES.filter((series) => series !== '4.6-rfc');

const hog = (given: Partial<VcpuSpec> = {}) => vcpuOf({ kind: 'hog', offsetNs: 0 }, given);
const once = (runNs: number, offsetNs = 0) => vcpuOf({ kind: 'once', run: fixed(runNs), offsetNs });
const duty = (runNs: number, sleepNs: number, offsetNs = 0, given: Partial<VcpuSpec> = {}) =>
  vcpuOf({ kind: 'duty', run: fixed(runNs), sleep: fixed(sleepNs), offsetNs }, given);
const idle = () => vcpuOf({ kind: 'idle' });

/** The value that each series gives. */
function bySeries<T>(measure: (xen: XenSeries) => T): Record<string, T> {
  return Object.fromEntries(SERIES.map((xen) => [xen, measure(xen)]));
}

/** `before` in all series before `since`, `after` from then on; further pairs likewise. */
function steps<T>(first: T, ...changes: readonly (readonly [XenSeries, T])[]): Record<string, T> {
  return bySeries((xen) =>
    changes.reduce((value, [since, next]) => (isSinceXen(xen, since) ? next : value), first),
  );
}

function sharesOf(scenario: Scenario): number[] {
  return runScenario(scenario).times.map(
    ({ runNs }) => Math.round((runNs / scenario.durationNs) * 1000) / 10,
  );
}

/** Every switch as `ms:pCPU:who`. */
function switchesOf(scenario: Scenario): string[] {
  const rows = runScenario(scenario).switches.trimEnd().split('\n').slice(1);
  return rows.map((row) => {
    const [tNs, pcpu, who] = row.split(',');
    return `${Number(tNs) / ms}:${pcpu}:${who}`;
  });
}

function rigOf(vcpus: Parameters<typeof scenarioOf>[0], given: Partial<Scenario>): Rig {
  return new Rig(scenarioOf(vcpus, given));
}

test('4.13 to 4.16 decide as 4.17 does', () => {
  for (const xen of ['4.13', '4.14', '4.15', '4.16'] as const) {
    expect(xenVersion(xen)).toMatchObject({
      credit: xenVersion('4.17').credit,
      core: xenVersion('4.17').core,
    });
  }
});

describe('theft of service (experiment E1), percent of the attacker and of each victim', () => {
  const attack = (guardNs: number, victims: number) => (xen: XenSeries) => {
    const attacker = vcpuOf({ kind: 'dodge', periodNs: 10 * ms, guardNs, offsetNs: 0 });
    const domains = [[attacker], ...Array.from({ length: victims }, () => [hog()])];
    return Math.round(sharesOf(scenarioOf(domains, { xen, durationNs: 30_000_000_000 }))[0]!);
  };

  // Without a rate limit the victims have the time in which it sleeps; then at least 1 ms of each 10; and from
  // 4.2 to 4.7 the time in which it sleeps and 1 ms more.
  test('asleep 250 us around each tick: 95 % by sampling and by exact accounting, less with the rate limit', () => {
    expect(bySeries(attack(250 * us, 1))).toEqual(steps(95, ['4.2', 85], ['4.8', 90]));
    expect(bySeries(attack(250 * us, 3))).toEqual(steps(95, ['4.2', 85], ['4.8', 90]));
  });

  test('asleep 100 us around each tick: 98 %, then 88 % and 90 %', () => {
    expect(bySeries(attack(100 * us, 1))).toEqual(steps(98, ['4.2', 88], ['4.8', 90]));
  });
});

describe('equal hogs', () => {
  test.each([2, 3, 4])('get equal shares, %i of them, in every version', (count) => {
    for (const xen of SERIES) {
      const domains = Array.from({ length: count }, () => [hog()]);
      const shares = sharesOf(scenarioOf(domains, { xen, durationNs: 30_000_000_000 }));
      for (const share of shares) expect(share).toBeCloseTo(100 / count, 0);
    }
  });
});

describe('credit accounting', () => {
  test('charges whoever a tick finds running, or by timestamp', () => {
    // From 1 ms to 13 ms: the tick at 10 ms finds it. It has run 9 ms then, and pays for 10 by sampling.
    const after = (ns: number) => (xen: XenSeries) => {
      const rig = rigOf([[once(12 * ms, ms)]], { xen });
      rig.runUntil(ns);
      return creditOfVcpu(rig.vcpu(1)).credit;
    };
    expect(bySeries(after(11 * ms))).toEqual(steps(-100, ['4.0', -90]));
    expect(bySeries(after(14 * ms))).toEqual(steps(-100, ['4.0', -120]));
  });

  test('rounds a charge to the nearest credit until 4.2, and keeps the rest from 4.3 on', () => {
    // Runs of 50 us are half a credit each.
    const after = (runs: number) => (xen: XenSeries) => {
      const rig = rigOf([[duty(50 * us, 50 * us)]], { xen });
      rig.runUntil((runs - 1) * 100 * us + 60 * us);
      return creditOfVcpu(rig.vcpu(1)).credit;
    };
    expect(bySeries(after(1))).toEqual(steps(0, ['4.0', -1], ['4.3', 0]));
    expect(bySeries(after(2))).toEqual(steps(0, ['4.0', -1]));
    // What is left over may be paid ahead: the third run pays for the next one, too.
    expect(bySeries(after(3))).toEqual(steps(0, ['4.0', -2]));
    expect(bySeries(after(4))).toEqual(steps(0, ['4.0', -2]));
  });

  test('takes all credit of who leaves the active list, later half of it', () => {
    // 15 ms of running, found by one tick; 300 earned at 30 ms and at 60 ms.
    const credit = (xen: XenSeries) => {
      const rig = rigOf([[once(15 * ms)]], { xen });
      rig.runUntil(61 * ms);
      return creditOfVcpu(rig.vcpu(1)).credit;
    };
    expect(bySeries(credit)).toEqual(steps(0, ['4.1', 225]));
  });

  test('weighs domains until 4.0, vCPUs from 4.1 on', () => {
    const shares = (xen: XenSeries) => {
      const [a, b, c] = sharesOf(scenarioOf([[hog(), hog()], [hog()]], { xen, durationNs: 30_000_000_000 }));
      return [Math.round(a! + b!), Math.round(c!)];
    };
    for (const [xen, [pair, single]] of Object.entries(bySeries(shares))) {
      const expected = isSinceXen(xen as XenSeries, '4.1') ? [67, 33] : [50, 50];
      expect.soft(Math.abs(pair! - expected[0]!), xen).toBeLessThanOrEqual(2);
      expect.soft(Math.abs(single! - expected[1]!), xen).toBeLessThanOrEqual(2);
    }
  });

  test('is done by the third tick of the first pCPU until 3.3, then by a timer of its own', () => {
    const hasTimer = (xen: XenSeries) => {
      const rig = rigOf([[hog()]], { xen });
      return (rig.pool.scheduler as CreditScheduler).system.masterTicker !== undefined;
    };
    expect(bySeries(hasTimer)).toEqual(steps(false, ['3.4', true]));
  });
});

describe('boost', () => {
  test('of the unparked: from 4.3 to 4.12', () => {
    const pri = (xen: XenSeries) => {
      const rig = rigOf([[hog()]], { xen });
      rig.runUntil(25 * ms);
      const credit = creditOfVcpu(rig.vcpu(1));
      credit.parked = true;
      credit.credit = 0;
      rig.act((xen_) => xen_.pause(rig.vcpu(1)));
      rig.runUntil(30 * ms + 1);
      expect(credit.parked).toBe(false);
      return credit.pri;
    };
    expect(bySeries(pri)).toEqual(steps(UNDER, ['4.3', BOOST], ['4.13', UNDER]));
  });

  test('of a new vCPU at its first wake-up: until 4.7, when the scheduler did not place it', () => {
    const starts = (xen: XenSeries) => {
      const rig = rigOf([[hog()], [once(ms, ms)]], { xen });
      rig.runUntil(ms + 1);
      return creditOfVcpu(rig.vcpu(2)).pri;
    };
    expect(bySeries(starts)).toEqual(steps(BOOST, ['4.8', UNDER]));
  });
});

describe('I/O beside a pinned hog while another pCPU idles (experiment E2)', () => {
  const io = duty(100 * us, 900 * us, 0, { hardAffinity: [0] });
  const both = (xen: XenSeries, hogOn: readonly number[] | undefined) =>
    scenarioOf([[io], [hog({ hardAffinity: hogOn })]], { xen, host: hostOf({ pcpus: 2 }) });

  test('the hog is sent away, cannot go, and is boosted: from 4.3 to 4.6', () => {
    const kicks = (xen: XenSeries) => {
      let count = 0;
      runScenario(both(xen, [0]), {
        onRunstate(_tNs, _pcpu, dom, _vcpu, from, to) {
          if (dom === 2 && from === 0 && to === 3) count += 1;
        },
      });
      return count > 10;
    };
    expect(bySeries(kicks)).toEqual(steps(false, ['4.3', true], ['4.7', false]));
  });

  test('which costs the other one most of its throughput, as was measured', () => {
    // 0.1 ms of work and 0.9 ms of sleep: each millisecond; with the rate limit behind 1 ms of the hog; from 4.2
    // to 4.7 behind 1 ms more than it slept.
    const served = (xen: XenSeries) => {
      const durationNs = 10_000_000_000;
      const [first] = runScenario({ ...both(xen, [0]), durationNs }).times;
      return Math.round((first!.runNs / durationNs) * 1000);
    };
    expect(bySeries(served)).toEqual(steps(100, ['4.2', 50], ['4.3', 7], ['4.7', 50], ['4.8', 91]));
  });

  test('one that can go is sent to the idle pCPU at once: from 4.3 to 4.12', () => {
    // The hog has been put beside the other one by hand; a tick would move it at 10 ms.
    const movesAt = (xen: XenSeries) => {
      const moves: string[] = [];
      const rig = new Rig(both(xen, [0]), {
        onRunstate(tNs, pcpu, dom, _vcpu, from, to) {
          if (dom === 2 && to === 0 && from === 1 && pcpu === 1) moves.push(`${tNs / us}`);
        },
      });
      rig.runUntil(500 * us);
      rig.xen.applyAffinity(rig.vcpu(2), rig.xen.online, undefined);
      creditOfVcpu(rig.vcpu(2)).pri = UNDER;
      rig.runUntil(9 * ms);
      return moves.length > 0;
    };
    const expected = steps(true, ['4.13', false]);
    for (const xen of SERIES.filter((series) => isSinceXen(series, '4.3'))) {
      expect.soft(movesAt(xen), xen).toBe(expected[xen]);
    }
  });
});

describe('the rate limit', () => {
  test('lets who has just begun go on: for the whole limit again until 4.7, then for the rest of it', () => {
    // The first runs 2 ms, sleeps 0.4 ms and is boosted when it wakes; the second has no boost any more.
    const preemptedAt = (xen: XenSeries) => {
      const instants: number[] = [];
      const rig = new Rig(scenarioOf([[duty(2 * ms, 400 * us)], [hog()]], { xen }), {
        onSwitch: (tNs, _pcpu, dom) => dom === 1 && instants.push(tNs / ms),
      });
      rig.runUntil(ms);
      creditOfVcpu(rig.vcpu(2)).pri = UNDER;
      rig.runUntil(4 * ms);
      return instants[1];
    };
    expect(bySeries(preemptedAt)).toEqual(steps(2.4, ['4.2', 3.4], ['4.8', 3]));
  });

  test('holds even one that yields until 4.7; one that yields is not told from others until 4.0', () => {
    // Both UNDER. A yield after 0.5 ms puts the first behind the second.
    const yieldedAt = (xen: XenSeries) =>
      switchesOf(scenarioOf([[hog({ yieldEveryNs: 500 * us })], [hog()]], { xen, durationNs: 3 * ms }))[1];
    expect(bySeries(yieldedAt)).toEqual(steps('0.5:0:d2v0', ['4.2', '1:0:d2v0'], ['4.8', '0.5:0:d2v0']));
  });

  test('who yields lets one of lower priority pass from 4.1 on', () => {
    const passes = (xen: XenSeries) => {
      const rig = rigOf([[hog({ yieldEveryNs: 2 * ms })], [hog()]], { xen });
      rig.runUntil(ms);
      creditOfVcpu(rig.vcpu(2)).pri = OVER;
      rig.runUntil(2 * ms + 1);
      return rig.machine.pcpus[0]!.current === rig.vcpu(2);
    };
    expect(bySeries(passes)).toEqual(steps(false, ['4.1', true]));
  });
});

describe('wake-ups', () => {
  test('interrupt all idle pCPUs, then one besides its own, then one', () => {
    const told = (xen: XenSeries) => {
      const rig = rigOf([[hog()], [idle()]], { xen, host: hostOf({ pcpus: 4 }) });
      rig.runUntil(15 * ms);
      const home = rig.vcpu(1).processor;
      const waker = rig.vcpu(2);
      waker.processor = home;
      creditOfVcpu(waker).migrating = false;
      const decided: number[] = [];
      (rig.xen.hooks as { onSchedule?: unknown }).onSchedule = (_tNs: number, pcpu: number) =>
        decided.push(pcpu);
      rig.act((xen_) => xen_.unblock(waker));
      return new Set(decided).size;
    };
    expect(bySeries(told)).toEqual(steps(4, ['4.1', 2], ['4.3', 1]));
  });

  test('count those told as busy at once from 4.9 on', () => {
    const stillIdle = (xen: XenSeries) => {
      const rig = rigOf([[idle()]], { xen, host: hostOf({ pcpus: 2 }) });
      const { system } = rig.pool.scheduler as CreditScheduler;
      rig.machine.cpu = 0;
      rig.xen.unblock(rig.vcpu(1));
      return system.idlers.has(rig.vcpu(1).processor);
    };
    expect(bySeries(stillIdle)).toEqual(steps(true, ['4.9', false]));
  });

  test('may tell an idle pCPU of no use: 4.6 and 4.7', () => {
    const useless = (xen: XenSeries) => {
      const pinned = { hardAffinity: [0, 1] };
      const rig = rigOf([[hog({ hardAffinity: [0] })], [vcpuOf({ kind: 'idle' }, pinned)]], {
        xen,
        host: hostOf({ pcpus: 4 }),
      });
      rig.runUntil(5 * ms);
      const waker = rig.vcpu(2);
      waker.processor = 0;
      // The next after it is pCPU 2, unless only 0 and 1 are looked at.
      rig.machine.pcpus[0]!.lastTickled = 1;
      rig.act((xen_) => xen_.unblock(waker));
      return waker.runstate !== 0;
    };
    const between = ['4.3', '4.4', '4.5', '4.6', '4.7', '4.8', '4.17', 'head'] as const;
    expect(between.map((xen) => useless(xen))).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('placement', () => {
  test('needs twice as many idle pCPUs on another socket from 4.1 on', () => {
    // Socket 0: itself and an idle one... which is pinned to; socket 1: both idle.
    const moves = (xen: XenSeries) => {
      const host = hostOf({ pcpus: 4, sockets: 2, coresPerSocket: 2 });
      const rig = rigOf([[hog({ hardAffinity: [0] })], [hog({ hardAffinity: [1] })]], { xen, host });
      rig.runUntil(25 * ms);
      rig.xen.applyAffinity(rig.vcpu(1), rig.xen.online, undefined);
      rig.runUntil(31 * ms);
      return rig.vcpu(1).processor !== 0;
    };
    expect(bySeries(moves)).toEqual(steps(true, ['4.1', false]));
  });

  test('of several equal neighbours takes the nearest, from 4.0 on each in its turn', () => {
    const chosen = (xen: XenSeries) => {
      const host = hostOf({ pcpus: 6, sockets: 2, coresPerSocket: 3 });
      const rig = rigOf([[idle()]], { xen, host });
      const vcpu = rig.vcpu(1);
      vcpu.processor = 0;
      const { system } = rig.pool.scheduler as CreditScheduler;
      // Only the other socket idles; from there on it would be the third's turn.
      for (const pcpu of [0, 1, 2]) system.idlers.unset(pcpu);
      creditOfPcpu(rig.machine.pcpus[3]!).idleBias = 4;
      vcpu.hardAffinity.copy(rig.xen.online);
      return rig.pool.scheduler.pickPcpu(vcpu);
    };
    const picked = bySeries(chosen);
    expect([picked['3.3'], picked['3.4'], picked['4.0'], picked['4.1']]).toEqual([3, 3, 5, 5]);
  });

  test('may choose one that is forbidden: 4.0', () => {
    const isForbidden = (xen: XenSeries) => {
      const host = hostOf({ pcpus: 6, sockets: 2, coresPerSocket: 3 });
      const rig = rigOf([[idle()]], { xen, host });
      const vcpu = rig.vcpu(1);
      vcpu.processor = 0;
      const { system } = rig.pool.scheduler as CreditScheduler;
      for (const pcpu of [0, 1, 2]) system.idlers.unset(pcpu);
      creditOfPcpu(rig.machine.pcpus[3]!).idleBias = 4;
      vcpu.hardAffinity.clear();
      for (const pcpu of [0, 3, 4]) vcpu.hardAffinity.set(pcpu);
      return !vcpu.hardAffinity.has(rig.pool.scheduler.pickPcpu(vcpu));
    };
    expect(bySeries(isForbidden)).toEqual(steps(false, ['4.0', true], ['4.1', false]));
  });

  test('looks for work at the next pCPU, at the lowest, or behind where it found some', () => {
    const stolenFrom = (xen: XenSeries) => {
      const pin = (pcpu: number) => ({ hardAffinity: [pcpu] });
      const rig = rigOf([[hog(pin(0)), hog(pin(0))], [hog(pin(2)), hog(pin(2))], [once(5 * ms)]], {
        xen,
        host: hostOf({ pcpus: 3 }),
      });
      rig.runUntil(2 * ms);
      const all = rig.xen.online;
      for (const dom of [1, 2])
        for (const vcpu of rig.domain(dom).vcpus) rig.xen.applyAffinity(vcpu, all, undefined);
      rig.runUntil(5 * ms + 1);
      return rig.machine.pcpus[1]!.current.domain.id;
    };
    const expected = steps(2, ['4.3', 1], ['4.9', 2]);
    for (const xen of SERIES.filter((series) => !isSinceXen(series, '4.18'))) {
      expect.soft(stolenFrom(xen), xen).toBe(expected[xen]);
    }
  });
});

describe('the common part', () => {
  test('moves a vCPU only if it must until 4.2', () => {
    const boosted = (xen: XenSeries) => {
      const rig = rigOf([[hog()]], { xen, host: hostOf({ pcpus: 2 }) });
      rig.runUntil(5 * ms);
      let count = 0;
      (rig.xen.hooks as { onRunstate?: unknown }).onRunstate = () => {
        count += 1;
      };
      rig.act((xen_) => xen_.setAffinity(rig.vcpu(1), rig.xen.online, undefined));
      return count > 0;
    };
    expect(bySeries(boosted)).toEqual(steps(false, ['4.3', true]));
  });

  test('pauses a domain to set its parameters until 4.1', () => {
    const disturbs = (xen: XenSeries) => {
      const rig = rigOf([[hog()], [hog()]], { xen });
      rig.runUntil(45 * ms);
      const first = rig.machine.pcpus[0]!.current;
      let count = 0;
      (rig.xen.hooks as { onSwitch?: unknown }).onSwitch = () => {
        count += 1;
      };
      rig.act((xen_) => xen_.adjustDomain(first.domain, { weight: 512 }));
      return count;
    };
    expect(bySeries(disturbs)).toEqual(steps(2, ['4.2', 0]));
  });

  test('stops the tick of idle pCPUs from 4.13 on', () => {
    const ticks = (xen: XenSeries) => {
      const rig = rigOf([[once(ms)]], { xen });
      rig.runUntil(5 * ms);
      return rig.machine.timers.isActive(creditOfPcpu(rig.machine.pcpus[0]!).ticker);
    };
    expect(bySeries(ticks)).toEqual(steps(true, ['4.13', false]));
  });

  test('refuses soft affinity before 4.5', () => {
    const host = hostOf({ pcpus: 2 });
    const run = (xen: string) => () =>
      runScenario(scenarioOf([[hog({ softAffinity: [1] })]], { xen, host, durationNs: ms }));
    expect(run('4.4')).toThrow(/credit of Xen 4.4 knows no soft affinity/);
    expect(run('4.5')).not.toThrow();
  });
});

describe('records', () => {
  test.each(SERIES)('of Xen %s have the layouts that formats/ says it has', (xen) => {
    const catalog = EventCatalog.builtIn();
    const seen = new Set<string>();
    class Checker extends MemorySink {
      override emit(
        pcpu: number,
        event: number,
        low: number,
        high: number,
        words: Uint32Array,
        count: number,
      ): void {
        seen.add(`${event}/${count}`);
        super.emit(pcpu, event, low, high, words, count);
      }
    }
    for (let seed = 1; seed <= 4; seed += 1) {
      const affinity = isSinceXen(xen, '4.5');
      const scenario = randomScenario(seed, { caps: true, affinity, yields: true, xen });
      simulate(scenario, new Checker(scenario.host.pcpus, 0x0002f000));
    }
    expect(seen.size).toBeGreaterThan(10);
    // What is modelled as 3.3 is a little younger, and numbers its events as 3.4 does.
    const numbered = xen === '3.3' ? '3.4' : xen;
    for (const one of seen) {
      const [event, count] = one.split('/').map(Number);
      if ((event! & 0xf000) === 0x4000) continue;
      const layout = catalog.layouts[catalog.layoutIndex(event!, count!)];
      const name = `${(event ?? 0).toString(16)} with ${count} words (${headerWord(event!, count!, true)})`;
      expect.soft(layout, name).toBeDefined();
      const { since, until } = layout!;
      if (since !== undefined) expect.soft(isSinceXen(numbered, since as XenSeries), name).toBe(true);
      if (until !== undefined) expect.soft(isSinceXen(until as XenSeries, numbered), name).toBe(true);
    }
  });
});
