import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { DomainSettings, Scenario, ServerParameters } from '../../src/scenario/scenario.ts';
import { DOMID_IDLE, type VcpuTimes } from '../../src/simulator/index.ts';
import { rtXenOf } from '../../src/simulator/schedulers/rt-xen/state.ts';
import type { Vcpu } from '../../src/simulator/vcpu.ts';
import { type ReferenceFile, referenceScenario } from './reference-scenario.ts';
import { Rig } from './rig.ts';

/** A scenario file of RT-Xen 2.0. */
export interface FileOfRtXen extends Omit<ReferenceFile, 'actions' | 'domains'> {
  actions?: ({ t_ns: number; dom: number } & Setting)[];
  domains: (Omit<ReferenceFile['domains'][number], 'vcpus'> & {
    extra?: number;
    adjust?: Setting[];
    vcpus: (ReferenceFile['domains'][number]['vcpus'][number] & Server)[];
  })[];
  state_every_ns?: number;
}

interface Server {
  period_ms?: number;
  budget_ms?: number;
}

interface Setting extends Server {
  vcpu?: number;
  extra?: number;
}

interface FiguresOfRtXen {
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

/** A run in the terms of the reference results. */
export interface ResultOfRtXen {
  /** The text of the switches csv. */
  readonly switches: string;
  /** The text of the state csv: the scheduler's own data over time. */
  readonly state: string;
  /** Number of records by event, but those that are RT-Xen's own or ours. */
  readonly records: Record<string, number>;
  readonly scheduleCalls: number;
  readonly contextSwitches: number;
  readonly times: readonly Omit<VcpuTimes, 'guestNs'>[];
}

/** RT-Xen's records of its overhead, and those of xenscope. */
const OWN_CLASS = '0x00024';

/** What the C code did. */
export function readRtXen(root: string, folder: string, name: string): ResultOfRtXen {
  const base = join(root, folder, name);
  const figures = JSON.parse(readFileSync(`${base}.json`, 'utf8')) as FiguresOfRtXen;
  const text = (path: string) => gunzipSync(readFileSync(path)).toString();
  const records = Object.entries(figures.trace_events).filter(([event]) => !event.startsWith(OWN_CLASS));
  return {
    switches: text(`${base}.switches.csv.gz`),
    state: text(`${base}.state.csv.gz`),
    records: Object.fromEntries(records),
    scheduleCalls: figures.totals.schedule_calls,
    contextSwitches: figures.totals.context_switches,
    times: figures.vcpus
      .map(({ dom, vcpu, run_ns, runnable_ns, blocked_ns, offline_ns }) => ({
        dom,
        vcpu,
        runNs: run_ns,
        runnableNs: runnable_ns,
        blockedNs: blocked_ns,
        offlineNs: offline_ns,
      }))
      .sort((a, b) => a.dom - b.dom || a.vcpu - b.vcpu),
  };
}

export function readFileOfRtXen(root: string, folder: string, name: string): FileOfRtXen {
  return JSON.parse(readFileSync(join(root, folder, `${name}.json`), 'utf8')) as FileOfRtXen;
}

/** What such a file says, but for what is set once its domains are there. */
export function scenarioOfRtXen(file: FileOfRtXen): Scenario {
  const plain = referenceScenario({ ...file, actions: undefined } as unknown as ReferenceFile, 'rt-xen-2.0');
  return {
    ...plain,
    domains: plain.domains.map((domain, i) => {
      const { extra, vcpus } = file.domains[i]!;
      const servers = vcpus.flatMap((vcpu) => new Array<Server>(vcpu.count ?? 1).fill(vcpu));
      return {
        ...domain,
        extratime: extra === undefined ? undefined : extra === 1,
        vcpus: domain.vcpus.map((vcpu, k) => ({ ...vcpu, server: serverOf(servers[k]!) })),
      };
    }),
  };
}

/** Runs such a scenario. The instrument of the reference reads the parameters back after each setting. */
export function runRtXen(file: FileOfRtXen): ResultOfRtXen {
  const { actions = [], state_every_ns: everyNs = 0 } = file;
  const scenario = scenarioOfRtXen(file);
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
  const readBack = (dom: number) => {
    rig.machine.cpu = 0;
    rig.xen.inquireDomain(rig.domain(dom));
  };
  const apply = (dom: number, setting: Setting) => {
    rig.xen.adjustDomain(rig.domain(dom), settingsOf(setting));
    rig.xen.drainSoftirqs();
    readBack(dom);
  };
  for (const { id, adjust = [] } of file.domains) {
    for (const { server } of scenario.domains.find((domain) => domain.id === id)!.vcpus) {
      if (server !== undefined) rig.act(() => readBack(id));
    }
    for (const setting of adjust) rig.act(() => apply(id, setting));
  }
  const timed = actions.map((action) => ({ atNs: action.t_ns, act: () => apply(action.dom, action) }));
  const { durationNs } = scenario;
  const columns = 'period_ms,budget_ms,cur_budget_us,cur_deadline_ns,last_start_ns,on_runq,runnable';
  const state: string[] = [`t_ns,vcpu,pcpu,${columns}`];
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
    for (const { vcpus } of rig.xen.domains) state.push(...vcpus.map((vcpu) => stateRow(vcpu, t)));
  }
  runUntil(durationNs);
  return {
    switches: `${switches.join('\n')}\n`,
    state: `${state.join('\n')}\n`,
    records: countRecords(rig),
    scheduleCalls,
    contextSwitches: switches.length - 1,
    times: rig.xen.domains
      .flatMap(({ vcpus }) => vcpus.map((vcpu) => timesOf(vcpu, durationNs)))
      .sort((a, b) => a.dom - b.dom || a.vcpu - b.vcpu),
  };
}

function serverOf({ period_ms, budget_ms }: Server): ServerParameters | undefined {
  if (period_ms === undefined || budget_ms === undefined) return undefined;
  return { periodUs: period_ms * 1000, budgetUs: budget_ms * 1000 };
}

function settingsOf({ vcpu, period_ms, budget_ms, extra }: Setting): DomainSettings {
  const extratime = extra === undefined ? undefined : extra === 1;
  return { vcpu, periodMs: period_ms, budgetMs: budget_ms, extratime };
}

function timesOf(vcpu: Vcpu, durationNs: number): Omit<VcpuTimes, 'guestNs'> {
  const ns = Array.from(vcpu.runstateNs);
  ns[vcpu.runstate]! += durationNs - vcpu.runstateEntryNs;
  const [runNs, runnableNs, blockedNs, offlineNs] = ns as [number, number, number, number];
  return { dom: vcpu.domain.id, vcpu: vcpu.id, runNs, runnableNs, blockedNs, offlineNs };
}

/** rtglobal_dump_vcpu(), as the reference writes it down. */
function stateRow(vcpu: Vcpu, tNs: number): string {
  const { periodNs, budgetUs, leftUs, deadlineNs, lastStartNs, queued } = rtXenOf(vcpu);
  const parameters = `${periodNs / 1_000_000},${budgetUs / 1000}`;
  const flags = `${queued.isAlone ? 0 : 1},${vcpu.isRunnable ? 1 : 0}`;
  return `${tNs},${vcpu},${vcpu.processor},${parameters},${leftUs},${deadlineNs},${lastStartNs},${flags}`;
}

function countRecords(rig: Rig): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { id } of rig.machine.pcpus) {
    const words = rig.sink.drain(id);
    for (let at = 0; at < words.length; ) {
      const header = words[at]!;
      const event = `0x${(header & 0x0fffffff).toString(16).padStart(8, '0')}`;
      if (!event.startsWith(OWN_CLASS)) counts[event] = (counts[event] ?? 0) + 1;
      at += 1 + (header >>> 31) * 2 + ((header >>> 28) & 7);
    }
  }
  return counts;
}
