/**
 * What vCPUs, domains and pCPUs do: transitions from one runstate to the next, and the time spent in each.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { clearVlapic } from './hvm/vlapic.ts';
import { loseHvm } from './hvm/wake-to-halt.ts';
import {
  BLOCKED,
  DEFAULT_DOMAIN,
  type Domain,
  IDLE_DOMAIN,
  INIT,
  LOST,
  OFFLINE,
  type Pcpu,
  QUEUED,
  RUNNABLE,
  RUNNING,
  RUNSTATE_NAMES,
  type Vcpu,
} from './state.ts';

/** Heights of the runstates in --scatterplot-runstate. */
const HEIGHTS = [3, 2, 0, 1, -1, -2, -2];

/** A vCPU goes over to `runstate` at `tsc`: the time since its last transition is counted. */
export function updateRunstate(a: Analyser, v: Vcpu, runstate: number, tsc: number): void {
  if (a.watchesRunstates) watch(a, v, runstate, tsc);
  const { domain } = v;
  if (v.runstate === QUEUED) domain.queuedVcpus--;
  if (runstate === QUEUED) domain.queuedVcpus++;
  a.runstateLog.pass(v.index, runstate, tsc);
  v.runstate = runstate;
  v.runstateTsc = tsc;
  if (domain.queuedVcpus !== 0 && domain.id !== DEFAULT_DOMAIN) expectRunstates(a, domain);
}

/** What some options want to know of a transition that is about to be made. */
function watch(a: Analyser, v: Vcpu, runstate: number, tsc: number): void {
  const { options } = a;
  const { domain } = v;
  if (options.scatterplotRunstate) plotRunstate(a, v, runstate, tsc);
  const wideStart = v.wideRunstateTsc;
  v.wideRunstateTsc = Number.isSafeInteger(tsc) ? undefined : a.exactOf(tsc);
  if (v.runstateTsc <= a.never || v.runstateTsc >= tsc) return;
  const cycles = tsc - v.runstateTsc;
  const isWide = wideStart !== undefined || v.wideRunstateTsc !== undefined;
  const exactCycles = isWide ? a.exactOf(tsc) - (wideStart ?? a.exactOf(v.runstateTsc)) : cycles;
  if (options.scatterplotRunstateTime) plotRunstateTime(a, v, exactCycles, tsc);
  if (v.runstate === RUNNING) domain.totalTime.add(cycles, options);
  if (domain.id === 0 && options.dumpTraceVolumeOnLostRecord) countDom0Time(a, v, runstate, tsc);
}

function plotRunstate(a: Analyser, v: Vcpu, runstate: number, tsc: number): void {
  a.setTime(tsc);
  for (const each of [v.runstate, runstate]) {
    const { seconds, nanoseconds } = a;
    a.out.printf('%dv%d %u.%09u %d\n', v.domain.id, v.number, seconds, nanoseconds, HEIGHTS[each]);
  }
}

function plotRunstateTime(a: Analyser, v: Vcpu, cycles: number | bigint, tsc: number): void {
  a.setTime(tsc);
  a.out.printf('%dv%d %u.%09u ', v.domain.id, v.number, a.seconds, a.nanoseconds);
  a.setTimeOfDifference(cycles);
  a.out.printf('%u.%09u\n', a.seconds, a.nanoseconds);
}

/** How much dom0 ran while a buffer was filled. */
function countDom0Time(a: Analyser, v: Vcpu, runstate: number, tsc: number): void {
  for (const pcpu of a.pcpus) {
    if (pcpu?.active !== true) continue;
    const start = Math.max(pcpu.bufferFirstTsc, v.runstateTsc);
    pcpu.bufferDom0RunstateCycles[v.runstate] += tsc - start;
    pcpu.bufferDom0Runstate = runstate;
    pcpu.bufferDom0RunstateTsc = tsc;
  }
}

/** Says so if a domain has vCPUs that are queued, but none in a runstate that means anything. */
function expectRunstates(a: Analyser, domain: Domain): void {
  const counts = new Array<number>(RUNSTATE_NAMES.length).fill(0);
  for (const v of domain.vcpus) if (v !== undefined) counts[v.runstate]++;
  if (counts[RUNNING] + counts[RUNNABLE] + counts[BLOCKED] + counts[OFFLINE] > 0) return;
  a.warn.printf('Strange, no meaningful runstates for d%d!\n', domain.id);
  const vcpus = domain.vcpus.filter((v) => v !== undefined && v.runstate !== INIT).length;
  a.out.printf(' Max vid: %d (max_vcpus %d)\n', domain.vcpus.length - 1, vcpus);
  for (const v of domain.vcpus) {
    if (v !== undefined) a.warn.printf(' v%d: %s\n', v.number, RUNSTATE_NAMES[v.runstate]);
  }
  for (const [runstate, name] of RUNSTATE_NAMES.entries())
    a.warn.printf(' %s: %d\n', name, runstate === INIT ? 0 : counts[runstate]);
  a.error(7);
}

/** Ends the stretch in which a pCPU ran what it runs. */
export function updatePcpuRunstate(a: Analyser, p: Pcpu, tsc: number): void {
  if (a.options.reportPcpu) countPcpuTime(a, p, tsc);
  p.timeTsc = a.never;
}

/** Counts the time since which a pCPU has run what it runs, for --report-pcpu. */
export function countPcpuTime(a: Analyser, p: Pcpu, tsc: number): void {
  if (p.timeTsc === a.never) return;
  const idle = p.current?.domain.id === IDLE_DOMAIN;
  (idle ? p.idle : p.running).add(tsc - p.timeTsc, a.options);
}

/** A vCPU leaves a pCPU and goes over to `runstate`. */
export function leavePcpu(a: Analyser, p: Pcpu, previous: Vcpu, tsc: number, runstate: number): void {
  const strange = strangeness(a, p, previous);
  if (strange) forgetStart(a, previous);
  updatePcpuRunstate(a, p, tsc);
  p.current = undefined;
  a.draw(p);
  updateRunstate(a, previous, runstate, tsc);
}

/** It is not known since when a vCPU is in its runstate. */
function forgetStart(a: Analyser, v: Vcpu): void {
  v.runstateTsc = a.never;
  a.runstateLog.forgetStart(v.index);
}

/** Whether a vCPU that leaves a pCPU was not known to run there; says so. */
function strangeness(a: Analyser, p: Pcpu, previous: Vcpu): boolean {
  const { pcpu, runstate, label } = previous;
  if (pcpu !== p) {
    if (pcpu === undefined) a.wouldEnd();
    a.warn.printf('Strange, sched_switch on pcpu %d, prev->pcpu %d!\n', p.number, pcpu?.number ?? -1);
    return true;
  }
  const { current } = p;
  if (current === undefined) {
    a.warn.text('vcpu_prev_update: FATAL: p->current NULL!\n');
    a.error(7);
    return true;
  }
  if (current !== previous) {
    a.warn.printf('Strange, sched_switch prev %s, pcpu %d current %s!\n', label, p.number, current.label);
    return true;
  }
  if (runstate === RUNNING) return false;
  a.warn.printf('Strange, prev %s not running!\n', label);
  return true;
}

/** A vCPU begins to run on a pCPU. */
export function enterPcpu(a: Analyser, p: Pcpu, next: Vcpu, tsc: number): void {
  const { options } = a;
  const from = next.pcpu;
  if (p.current !== undefined) dropCurrent(a, p, p.current, tsc);
  if (next.activated) {
    if (next.runstate === RUNNING && next.domain.id !== DEFAULT_DOMAIN) {
      if (next.pcpu === undefined) a.wouldEnd();
      a.warn.printf('Strange, next %s already running on proc %d!\n', next.label, next.pcpu?.number ?? -1);
      forgetStart(a, next);
    }
    if (next.pcpu !== p) a.runstateLog.comeTo(next.index, p.number, tsc);
  } else {
    next.guestPagingLevels = options.defaultGuestPagingLevels;
    next.activated = true;
    a.runstateLog.comeTo(next.index, p.number, tsc);
  }
  updateRunstate(a, next, RUNNING, tsc);
  if (options.scatterplotPcpu) plotPcpu(a, p, next, from, tsc);
  next.pcpu = p;
  p.current = next;
  a.draw(p);
  p.timeTsc = tsc;
  p.seenValidSchedule = true;
}

function dropCurrent(a: Analyser, p: Pcpu, current: Vcpu, tsc: number): void {
  if (!p.seenValidSchedule) {
    a.warn.text('vcpu_next_update: p->current non-NULL, but seen_valid_schedule 0.  Ignoring.\n');
    updateRunstate(a, current, LOST, tsc);
    p.current = undefined;
    return;
  }
  a.warn.printf(
    'vcpu_next_update: FATAL: p->current not NULL! (%s, runstate %s)\n',
    current.label,
    RUNSTATE_NAMES[current.runstate],
  );
  a.error(7);
}

function plotPcpu(a: Analyser, p: Pcpu, next: Vcpu, from: Pcpu | undefined, tsc: number): void {
  const { id } = next.domain;
  if (id === IDLE_DOMAIN || id === DEFAULT_DOMAIN) return;
  a.setTime(tsc);
  for (const pcpu of from === undefined ? [p] : [from, p])
    a.out.printf('%dv%d %u.%09u %d\n', id, next.number, a.seconds, a.nanoseconds, pcpu.number);
}

/** Nothing is known of a vCPU any more. */
export function loseVcpu(a: Analyser, v: Vcpu, tsc: number): void {
  if (v.hvm !== undefined) v.hvm.vmexitValid = false;
  updateRunstate(a, v, LOST, tsc);
  clearVlapic(v);
  if (v.hvm !== undefined) loseHvm(a, v);
}

/** What runs on a pCPU of which nothing was seen yet: the default domain's vCPU of its number. */
export function activateDefaultVcpu(a: Analyser, p: Pcpu): void {
  const v = a.defaultDomain.vcpus[p.number] ?? a.createVcpu(a.defaultDomain, p.number);
  v.activated = true;
  v.guestPagingLevels = a.options.defaultGuestPagingLevels;
  v.pcpu = p;
  v.runstate = RUNNING;
  a.runstateLog.supposeRunning(v.index);
  p.current = v;
  a.draw(p);
}
