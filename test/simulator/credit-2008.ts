import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { VcpuTimes } from '../../src/simulator/index.ts';
import { DOMID_IDLE } from '../../src/simulator/index.ts';
import { creditOfPcpu } from '../../src/simulator/schedulers/credit/state.ts';
import type { CreditScheduler } from '../../src/simulator/schedulers/credit.ts';
import type { Vcpu } from '../../src/simulator/vcpu.ts';
import { type ReferenceFile, referenceScenario } from './reference-scenario.ts';
import { Rig } from './rig.ts';

/** A scenario file of the credit of 2008: what the toolstack does is written otherwise than elsewhere. */
interface File2008 extends Omit<ReferenceFile, 'actions' | 'domains'> {
  /** What memory holds before its first use: which tick is the first that does the accounting. */
  xmalloc_fill?: number;
  actions?: ({ t_ns: number; dom: number } & Setting)[];
  domains: (ReferenceFile['domains'][number] & { adjust?: Setting[] })[];
  state_every_ns?: number;
}

interface Setting {
  weight?: number;
  cap?: number;
  getinfo_only?: number;
}

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
}

/** What a cap of this value means to libxc: leave it. */
const CAP_UNCHANGED = 65535;

/** What the C code did. */
export function read2008(root: string, name: string): Result2008 {
  const base = join(root, 'credit-2008', name);
  const figures = JSON.parse(readFileSync(`${base}.json`, 'utf8')) as Figures2008;
  const text = (path: string) => gunzipSync(readFileSync(path)).toString();
  return {
    switches: text(`${base}.switches.csv.gz`),
    state: readFile2008(root, name).state_every_ns ? text(`${base}.state.csv.gz`) : undefined,
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
  };
}

export function readFile2008(root: string, name: string): File2008 {
  return JSON.parse(readFileSync(join(root, 'scenarios', 'credit-2008', `${name}.json`), 'utf8')) as File2008;
}

/**
 * Runs such a scenario. The instrument of the reference reads the parameters back after each setting, which
 * in this version pauses the domain once more.
 */
export function run2008(file: File2008, xen: string): Result2008 {
  const { actions = [], xmalloc_fill: fill = 0, state_every_ns: everyNs = 0, ...rest } = file;
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
  for (const pcpu of rig.machine.pcpus) creditOfPcpu(pcpu).ticks = fill;
  const readBack = (dom: number) => {
    rig.machine.cpu = 0;
    rig.xen.inquireDomain(rig.domain(dom));
  };
  const apply = (dom: number, { weight, cap, getinfo_only }: Setting) => {
    if (!getinfo_only) {
      const parameters = { weight, cap: cap === CAP_UNCHANGED ? undefined : cap };
      rig.xen.adjustDomain(rig.domain(dom), parameters);
      rig.xen.drainSoftirqs();
    }
    readBack(dom);
  };
  for (const { id, weight, cap, adjust = [] } of file.domains) {
    if (weight !== undefined || cap !== undefined) rig.act(() => readBack(id));
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
  };
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
  const rows = [`${tNs},balance,,,,,${system.creditBalance},,`, `${tNs},weight,,,,,${system.weight},,`];
  for (let at = system.activeDomains.next; at !== system.activeDomains; at = at.next) {
    const { activeVcpus, weight } = at.owner!;
    for (let link = activeVcpus.next; link !== activeVcpus; link = link.next) {
      const { vcpu, pri, parked, credit } = link.owner!;
      rows.push(`${tNs},active,${vcpu},${pri},${parked ? 1 : 0},${vcpu.processor},${credit},${weight},`);
    }
  }
  return rows;
}

function countRecords(rig: Rig): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { id } of rig.machine.pcpus) {
    const words = rig.sink.drain(id);
    for (let at = 0; at < words.length; ) {
      const header = words[at]!;
      const event = `0x${(header & 0x0fffffff).toString(16).padStart(8, '0')}`;
      counts[event] = (counts[event] ?? 0) + 1;
      at += 1 + (header >>> 31) * 2 + ((header >>> 28) & 7);
    }
  }
  return counts;
}
