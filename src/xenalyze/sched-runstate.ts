/**
 * Runstate records (TRC_SCHED_MIN): the core of the model, with what xenalyze infers at the start of a trace, after
 * lost records, and from TSCs that do not agree.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { closeVmexit } from './hvm/hvm-process.ts';
import { trackWaking } from './hvm/wake-to-halt.ts';
import { enterPcpu, leavePcpu, loseVcpu, updateRunstate } from './runstates.ts';
import {
  BLOCKED,
  DEFAULT_DOMAIN,
  IDLE_DOMAIN,
  INIT,
  LOST,
  nameOfRunstate,
  type Pcpu,
  QUEUED,
  RUNNABLE,
  RUNNING,
  RUNSTATE_NAMES,
  type Vcpu,
} from './state.ts';

const CHANGE = 1;
const CONTINUE = 2;
/** Highest vCPU number that xenalyze takes. */
export const VCPU_NUMBER_MAX = 256;

/** A record of event 0x00021nox: from runstate o to runstate n. */
export function processRunstate(a: Analyser, p: Pcpu): void {
  const { event } = p;
  const kind = event & 15;
  if (kind !== CHANGE && kind !== CONTINUE) {
    a.warn.printf('FATAL: Unexpected runstate change type %d!\n', kind);
    a.error(4);
    return;
  }
  const isChange = kind === CHANGE;
  const next = isChange ? (event >>> 4) & 15 : RUNNING;
  const old = isChange ? (event >>> 8) & 15 : RUNNING;
  const who = p.word(0);
  const vcpuNumber = who & 0xffff;
  const domainId = who >>> 16;
  // Bits of the event that are of no class do not count.
  a.lines.dump(p, event & 0x2ffff);
  if (isChange && isUnexpected(old, next)) {
    a.warn.printf(
      'Strange, d%dv%d unexpected runstate transition %s->%s\n',
      domainId,
      vcpuNumber,
      nameOfRunstate(old),
      nameOfRunstate(next),
    );
  }
  // On a host with more pCPUs, which it does not read, idle vCPUs have their numbers.
  if (vcpuNumber > VCPU_NUMBER_MAX && !a.run.ended) {
    a.warn.printf('sched_runstate_process: vcpu %u > MAX_VCPUS %d!\n', vcpuNumber, VCPU_NUMBER_MAX);
    return;
  }
  const v = a.vcpu(domainId, vcpuNumber);
  const wrongOld = v.wrongOldRunstate;
  v.wrongOldRunstate = INIT;
  if (v.runstate === INIT) {
    startVcpu(a, p, v, old, next);
    return;
  }
  if (v.hvm !== undefined) noteHvmTransition(a, p, v, old, next);
  if (v.runstate !== old && !resolveConflict(a, p, v, old, next, wrongOld)) return;
  if (isChange) change(a, p, v, old, next);
  else continueRunning(a, p, v);
}

/** A vCPU of an HVM guest is about to go over from one runstate to another: its exit may end, or an interval. */
export function noteHvmTransition(a: Analyser, p: Pcpu, v: Vcpu, old: number, next: number): void {
  if (next === RUNNABLE && v.hvm?.vmexitValid) closeVmexit(a, v.hvm, p.tsc);
  if (v.runstate !== LOST) trackWaking(a, p, v, old, next);
}

function isUnexpected(old: number, next: number): boolean {
  return (next === RUNNING && old !== RUNNABLE) || (next === BLOCKED && old === RUNNABLE);
}

/** The first record of a vCPU: it is taken up once it is seen to run. */
function startVcpu(a: Analyser, p: Pcpu, v: Vcpu, old: number, next: number): void {
  if (old === RUNNING) {
    const { current } = p;
    if (current === undefined || current.domain.id !== DEFAULT_DOMAIN) {
      a.stderr.text('Strange, p->current not default domain!\n');
      a.error(5);
      return;
    }
    if (p.firstTsc === a.never) {
      a.stderr.printf('Strange, p%d first_tsc 0!\n', p.number);
      a.error(5);
    }
    if (p.firstTsc <= current.runstateTsc) {
      a.stderr.printf(
        'Strange, first_tsc %llx < default_domain runstate tsc %llx!\n',
        a.absolute(p.firstTsc),
        a.absolute(current.runstateTsc),
      );
      a.error(5);
    }
    updateRunstate(a, current, QUEUED, p.firstTsc);
    p.current = undefined;
  }
  if (next !== RUNNING) {
    a.warn.printf("First schedule for %s doesn't take us into a running state; leaving INIT\n", v.label);
    return;
  }
  let tsc = p.tsc;
  if (old === RUNNING) {
    a.warn.printf('Using first_tsc for %s (%lld cycles)\n', v.label, p.lastTsc - p.firstTsc);
    tsc = p.firstTsc;
  }
  updateRunstate(a, v, RUNNING, tsc);
  p.timeTsc = tsc;
  p.current = v;
  a.draw(p);
  v.pcpu = p;
}

/**
 * A record tells another old runstate than is known: after a loss, or because the TSCs of two pCPUs do not agree.
 * Returns whether the transition counts.
 */
function resolveConflict(
  a: Analyser,
  p: Pcpu,
  v: Vcpu,
  old: number,
  next: number,
  wrongOld: number,
): boolean {
  if (v.runstate === LOST) {
    if (next === RUNNING) return true;
    if (a.options.dumpAll)
      a.warn.printf(
        'sched_runstate_process: %s in runstate lost, not updating to %s\n',
        v.label,
        nameOfRunstate(next),
      );
    return false;
  }
  if (wrongOld === next && v.actualOldRunstate === old) {
    correctSkew(a, p, v);
    return false;
  }
  a.warn.printf(
    'runstate_change old_runstate %s, %s runstate %s.  Possible tsc skew.\n',
    nameOfRunstate(old),
    v.label,
    RUNSTATE_NAMES[v.runstate],
  );
  v.wrongOldRunstate = old;
  v.actualOldRunstate = v.runstate;
  v.oldRunstateTsc = p.tsc;
  v.oldRunstatePcpu = p.number;
  if (v.runstate !== RUNNING) return true;
  a.warn.text(' Not updating.\n');
  return false;
}

/**
 * The transition that was missed before comes now: the other pCPU's TSC is behind by at least the time between them.
 */
function correctSkew(a: Analyser, p: Pcpu, v: Vcpu): void {
  if (p.tsc < v.oldRunstateTsc) {
    a.warn.printf(
      'WARNING: new tsc %lld < detected runstate tsc %lld! Not updating\n',
      a.absolute(p.tsc),
      a.absolute(v.oldRunstateTsc),
    );
    return;
  }
  const other = a.pcpu(v.oldRunstatePcpu);
  const lag = p.tsc - v.oldRunstateTsc;
  const before = other.skewOffset;
  other.skewDownstream |= p.skewDownstream | bitOf(p.number);
  if ((other.skewDownstream & bitOf(other.number)) !== 0) {
    if (a.options.tscLoopFatal) {
      a.stderr.text('FATAL: tsc skew dependency loop detected!\n');
      a.error(5);
    }
    if (!a.options.tscLoopFatal || a.options.tolerance < 5) {
      if (!a.options.tscLoopFatal) a.warn.text('Tsc skew dependency loop detected!  Resetting...\n');
      resetSkew(a);
      return;
    }
  }
  other.skewOffset += lag * 2;
  a.warn.printf(
    'TSC skew detected p%d->p%d, %lld cycles. Changing p%d offset from %lld to %lld\n',
    p.number,
    other.number,
    lag,
    other.number,
    before,
    other.skewOffset,
  );
}

function resetSkew(a: Analyser): void {
  for (let number = 0; number <= a.run.maxActivePcpu; number++) {
    const pcpu = a.pcpus[number];
    if (pcpu === undefined) continue;
    if (pcpu.skewOffset !== 0) pcpu.skewOffset = 0;
    pcpu.skewDownstream = 0;
  }
}

/** xenalyze keeps sets of pCPUs in 32 bits: those from 32 to 63 are in none, those from 64 on share bits again. */
function bitOf(pcpu: number): number {
  return (pcpu & 63) < 32 ? 1 << (pcpu & 31) : 0;
}

function continueRunning(a: Analyser, p: Pcpu, v: Vcpu): void {
  if (v.runstate === LOST) {
    a.warn.printf('WARNING: continue with %s in RUNSTATE_LOST.  Resetting current.\n', v.label);
    if (p.current !== undefined) leavePcpu(a, p, p.current, p.tsc, LOST);
    enterPcpu(a, p, v, p.tsc);
  } else if (v.runstate !== RUNNING) {
    a.warn.printf(
      'FATAL: sevt.old_runstate running, but %s runstate %s!\n',
      v.label,
      RUNSTATE_NAMES[v.runstate],
    );
    a.error(5);
  } else if (v.pcpu !== p) {
    a.warn.printf(
      'FATAL: continue on p%d, but %s p%d!\n',
      p.number,
      v.label,
      v.pcpu === undefined ? -1 : v.pcpu.number,
    );
    a.error(5);
  }
  updateRunstate(a, v, RUNNING, p.tsc);
}

function change(a: Analyser, p: Pcpu, v: Vcpu, old: number, next: number): void {
  // There xenalyze counts what is no runstate, over what lies behind those that are.
  if (next > INIT) {
    a.wouldEnd();
    return;
  }
  if (old === RUNNING || v.runstate === RUNNING) {
    stopRunning(a, p, v, old, next);
    return;
  }
  if (next === RUNNING) enterPcpu(a, p, v, p.tsc);
  else updateRunstate(a, v, next, p.tsc);
}

function stopRunning(a: Analyser, p: Pcpu, v: Vcpu, old: number, next: number): void {
  let from: Pcpu | undefined = p;
  if (old !== RUNNING) from = v.pcpu;
  else if (v.runstate !== RUNNING && v.runstate !== LOST) {
    a.warn.printf(
      'FATAL: sevt.old_runstate running, but %s runstate %s!\n',
      v.label,
      RUNSTATE_NAMES[v.runstate],
    );
    a.error(5);
  }
  if (from === undefined) {
    a.wouldEnd();
    updateRunstate(a, v, next, p.tsc);
  } else leavePcpu(a, from, v, p.tsc, next);
  if (a.run.lostCpus > 0 && v.domain.id !== IDLE_DOMAIN) {
    if (a.options.dumpAll)
      a.warn.printf(
        'sched_runstate_process: %d lost cpus, setting %s runstate to RUNSTATE_LOST\n',
        a.run.lostCpus,
        v.label,
      );
    loseVcpu(a, v, p.tsc);
  }
}
