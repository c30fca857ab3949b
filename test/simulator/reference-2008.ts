import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { VcpuTimes } from '../../src/simulator/index.ts';
import { DOMID_IDLE } from '../../src/simulator/index.ts';
import {
  BcreditDomain,
  BcreditSystem,
  type BcreditVcpu,
} from '../../src/simulator/schedulers/bcredit/state.ts';
import { type CreditVcpu, creditOfDomain } from '../../src/simulator/schedulers/credit/state.ts';
import type { CreditScheduler } from '../../src/simulator/schedulers/credit.ts';
import type { Vcpu } from '../../src/simulator/vcpu.ts';
import { type ReferenceFile, referenceScenario } from './reference-scenario.ts';
import { Rig } from './rig.ts';

/** The schedulers of 2008 of which there are results, by the folders that these are in. */
export type Folder2008 = 'credit-2008' | 'bcredit';

/**
 * A scenario file of the schedulers of 2008: what the toolstack does is written otherwise than elsewhere.
 */
export interface File2008 extends Omit<ReferenceFile, 'actions' | 'domains'> {
  actions?: ({ t_ns: number; dom: number } & Setting)[];
  domains: (ReferenceFile['domains'][number] & Setting & { adjust?: Setting[] })[];
  state_every_ns?: number;
}

interface Setting {
  weight?: number;
  cap?: number;
  max_boost_period?: number;
  boost_ratio?: number;
  getinfo_only?: number;
}

/** The parameters of a domain as they are read back. */
type Parameters2008 = Omit<Setting, 'getinfo_only'>;

interface Figures2008 {
  totals: { schedule_calls: number; context_switches: number };
  vcpus: {
    dom: number;
    vcpu: number;
    run_ns: number;
    runnable_ns: number;
    blocked_ns: number;
    offline_ns: number;
  }[];
  trace_events: Record<string, number>;
  adjusts?: { got: Parameters2008 }[];
}

type Times2008 = Omit<VcpuTimes, 'guestNs'>;

/** A run in the terms of the reference results. */
export interface Result2008 {
  /** The text of the switches csv. */
  readonly switches: string;
  /** The text of the state csv: the scheduler's own data over time; undefined if there is none. */
  readonly state: string | undefined;
  /** Number of records by event. */
  readonly records: Record<string, number>;
  readonly scheduleCalls: number;
  readonly times: readonly Times2008[];
  /** What was in force after each setting. */
  readonly settings: readonly Parameters2008[];
}

/** Where xenscope's own records are, which no Xen makes. */
const OWN_RECORDS = 0x00024000;
export const folderOf2008 = (scheduler: string): Folder2008 =>
  scheduler === 'bcredit' ? 'bcredit' : 'credit-2008';

/** What the C code did. */
export function read2008(root: string, folder: Folder2008, name: string): Result2008 {
  const base = join(root, folder, name);
  const figures = JSON.parse(readFileSync(`${base}.json`, 'utf8')) as Figures2008;
  const text = (path: string) => gunzipSync(readFileSync(path)).toString();
  return {
    switches: text(`${base}.switches.csv.gz`),
    state: readFile2008(root, folder, name).state_every_ns ? text(`${base}.state.csv.gz`) : undefined,
    records: figures.trace_events,
    scheduleCalls: figures.totals.schedule_calls,
    times: figures.vcpus.map(({ dom, vcpu, run_ns, runnable_ns, blocked_ns, offline_ns }) => {
      return {
        dom,
        vcpu,
        runNs: run_ns,
        runnableNs: runnable_ns,
        blockedNs: blocked_ns,
        offlineNs: offline_ns,
      };
    }),
    settings: (figures.adjusts ?? []).map(({ got }) => got),
  };
}

export function readFile2008(root: string, folder: Folder2008, name: string): File2008 {
  return JSON.parse(readFileSync(join(root, 'scenarios', folder, `${name}.json`), 'utf8')) as File2008;
}

/**
 * Runs such a scenario. The instrument of the reference reads the parameters back after each setting, which
 * in this version pauses the domain once more.
 */
export function run2008(file: File2008, xen: string): Result2008 {
  const { actions = [], state_every_ns: everyNs = 0, ...rest } = file;
  const scenario = referenceScenario(rest, xen);
  const switches: string[] = ['t_ns,pcpu,next'];
  let scheduleCalls = 0;
  const rig = new Rig(scenario, {
    onSwitch(tNs, pcpu, dom, vcpu) {
      switches.push(`${tNs},${pcpu},${dom === DOMID_IDLE ? 'idle' : `d${dom}v${vcpu}`}`);
    },
    onSchedule() {
      scheduleCalls += 1;
    },
  });
  const settings: Parameters2008[] = [];
  const readBack = (dom: number) => {
    rig.machine.cpu = 0;
    rig.xen.inquireDomain(rig.domain(dom));
    settings.push(parametersOf(rig, dom));
  };
  const apply = (dom: number, setting: Setting) => {
    if (!setting.getinfo_only) {
      const { weight, cap, max_boost_period: maxBoostPeriodMs, boost_ratio: boostRatio } = setting;
      rig.xen.adjustDomain(rig.domain(dom), { weight, cap, maxBoostPeriodMs, boostRatio });
      rig.xen.drainSoftirqs();
    }
    readBack(dom);
  };
  for (const { id, weight, cap, max_boost_period, boost_ratio, adjust = [] } of file.domains) {
    if ([weight, cap, max_boost_period, boost_ratio].some((given) => given !== undefined)) {
      rig.act(() => readBack(id));
    }
    for (const setting of adjust) rig.act(() => apply(id, setting));
  }
  const timed = actions.map((action) => ({ atNs: action.t_ns, act: () => apply(action.dom, action) }));
  const { durationNs } = scenario;
  const state: string[] = ['t_ns,list,vcpu,pri,flags,pcpu,credit,weight,boost_credit'];
  let fromNs = 0;
  const runUntil = (ns: number) => {
    rig.runUntil(
      ns,
      timed.filter(({ atNs }) => atNs >= fromNs && atNs < ns),
    );
    fromNs = ns;
  };
  for (let t = everyNs || Infinity; t < durationNs; t += everyNs) {
    // What is seen is how things are after everything else of the instant.
    runUntil(t + 1);
    state.push(...stateRows(rig, t));
  }
  runUntil(durationNs);
  return {
    switches: `${switches.join('\n')}\n`,
    state: everyNs === 0 ? undefined : `${state.join('\n')}\n`,
    records: countRecords(rig),
    scheduleCalls,
    times: rig.xen.domains.flatMap(({ vcpus }) => vcpus.map((vcpu) => timesOf(vcpu, durationNs))),
    settings,
  };
}

function parametersOf(rig: Rig, dom: number): Parameters2008 {
  const credit = creditOfDomain(rig.domain(dom));
  const { weight, cap } = credit;
  if (!(credit instanceof BcreditDomain)) return { weight, cap };
  return { weight, cap, max_boost_period: credit.maxBoostPeriodMs, boost_ratio: credit.boostRatio };
}

function timesOf(vcpu: Vcpu, durationNs: number): Times2008 {
  const ns = Array.from(vcpu.runstateNs);
  ns[vcpu.runstate]! += durationNs - vcpu.runstateEntryNs;
  const [runNs, runnableNs, blockedNs, offlineNs] = ns as [number, number, number, number];
  return { dom: vcpu.domain.id, vcpu: vcpu.id, runNs, runnableNs, blockedNs, offlineNs };
}

/** csched_dump() at an instant, as the reference writes it down. */
function stateRows(rig: Rig, tNs: number): string[] {
  const { system } = rig.pool.scheduler as CreditScheduler;
  const isBoosting = system instanceof BcreditSystem;
  const values: [string, number][] = [
    ['balance', system.creditBalance],
    ['weight', system.weight],
  ];
  if (isBoosting) {
    values.push(['boost_tslice', system.boostSliceNs], ['boost_credit', system.boostCredit]);
    values.push(['total_boost_ratio', system.totalBoostRatio]);
  }
  const rows = values.map(([name, value]) => `${tNs},${name},,,,,${value},,`);
  const row = (list: string, { vcpu, pri, parked, credit, domain, ...rest }: CreditVcpu) => {
    const boost = isBoosting ? (rest as BcreditVcpu).boostCredit : '';
    const { weight } = domain!;
    rows.push(
      `${tNs},${list},${vcpu},${pri},${parked ? 1 : 0},${vcpu.processor},${credit},${weight},${boost}`,
    );
  };
  for (let at = system.activeDomains.next; at !== system.activeDomains; at = at.next) {
    const { activeVcpus } = at.owner!;
    for (let link = activeVcpus.next; link !== activeVcpus; link = link.next) row('active', link.owner!);
  }
  if (isBoosting) {
    const { inactiveVcpus } = system;
    for (let link = inactiveVcpus.next; link !== inactiveVcpus; link = link.next)
      row('inactive', link.owner!);
  }
  return rows;
}

/** xenscope's own are not counted. */
function countRecords(rig: Rig): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { id } of rig.machine.pcpus) {
    const words = rig.sink.drain(id);
    for (let at = 0; at < words.length; ) {
      const header = words[at]!;
      const event = `0x${(header & 0x0fffffff).toString(16).padStart(8, '0')}`;
      if ((header & 0x000ff000) !== OWN_RECORDS) counts[event] = (counts[event] ?? 0) + 1;
      at += 1 + (header >>> 31) * 2 + ((header >>> 28) & 7);
    }
  }
  return counts;
}
