import type { Analyser } from './analyser.ts';
import { updatePcpuRunstate, updateRunstate } from './runstates.ts';
import { BLOCKED, INIT, OFFLINE, type Pcpu, RUNNABLE, RUNNING, type Vcpu } from './state.ts';

const SCHED = 1;
const EXACT_MAX = Number.MAX_SAFE_INTEGER;

// What a record may be, by class and sub-class of its event (bits 12 to 27).
const UNUSUAL = 0;
const INERT = 1;
const RUNSTATE = 2;
const KINDS = new Uint8Array(0x10000);
KINDS[0x21] = RUNSTATE;
for (const other of [0x22, 0x28, 0x2f]) KINDS[other] = INERT;

// What a runstate record is, by bits 0 to 11 of its event: old runstate, new runstate, change or continuation.
const STOP = 1;
const START = 2;
const WAIT = 3;
const CONTINUE = 4;
const TRANSITIONS = Uint8Array.from({ length: 0x1000 }, (_, bits) => {
  const [old, next, kind] = [bits >>> 8, (bits >>> 4) & 15, bits & 15];
  if (kind === 2) return CONTINUE;
  if (kind !== 1 || old > OFFLINE || next > OFFLINE) return UNUSUAL;
  if (next === RUNNING) return old === RUNNABLE ? START : UNUSUAL;
  if (old === RUNNING) return STOP;
  return old === RUNNABLE && next === BLOCKED ? UNUSUAL : WAIT;
});

/**
 * The quick way through what most of a trace is made of, for runs that only count: transitions of runstates that agree
 * with what is known, and records that change nothing but how many bytes there were. All others are left alone.
 *
 * Goes from the current record of a pCPU on, as long as records are usual, not later than its turn, and in its block of
 * the file. Returns how many bytes they have; the pCPU is at the last of them.
 */
export function passUsualRecords(a: Analyser, p: Pcpu): number {
  const { baseHigh, baseLow, firstTsc } = a;
  if (!p.hasTsc || firstTsc === a.never || firstTsc < -EXACT_MAX || p.tsc < firstTsc || p.tsc > EXACT_MAX) return 0;
  const { words, skewOffset } = p;
  const turnEnd = Math.min(p.turnEnd, EXACT_MAX);
  const first = p.wordsAt - 3;
  const end = p.blockWords - 10;
  let at = first;
  let tsc = p.tsc;
  do {
    const header = words[at];
    const timed = header >>> 31;
    let own = tsc;
    if (timed !== 0 && at !== first) {
      own = (words[at + 2] - baseHigh) * 4294967296 + (words[at + 1] - baseLow) + skewOffset;
      if (own > turnEnd || own < firstTsc) break;
    }
    const kind = KINDS[(header >>> 12) & 0xffff];
    if (kind === RUNSTATE) {
      if (timed === 0) break;
      p.tsc = own;
      const v = a.knownVcpu(words[at + 3]);
      if (v === undefined || !passTransition(a, p, v, header & 0xfff)) break;
    } else if (kind !== INERT) break;
    tsc = own;
    at += 1 + timed * 2 + ((header >>> 28) & 7);
  } while (at <= end);
  if (at === first) return 0;
  const bytes = (at - first) * 4;
  p.summary = true;
  p.volume.byClass[SCHED] += bytes;
  p.orderTsc = tsc;
  p.lastTsc = tsc;
  a.lastTsc = tsc;
  return bytes;
}

/** A transition at the TSC of the pCPU; false, and nothing done, where it does not agree with what is known of the vCPU and the pCPU. */
function passTransition(a: Analyser, p: Pcpu, v: Vcpu, bits: number): boolean {
  if (v.hvm !== undefined) return false;
  const { tsc } = p;
  let next = (bits >>> 4) & 15;
  switch (TRANSITIONS[bits]) {
    case STOP:
      if (v.runstate !== RUNNING || p.current !== v || v.pcpu !== p || a.lostCpus !== 0) return false;
      updatePcpuRunstate(a, p, tsc);
      p.current = undefined;
      break;
    case START:
      if (v.runstate !== RUNNABLE || p.current !== undefined || v.pcpu !== p || !v.activated) return false;
      p.current = v;
      p.timeTsc = tsc;
      p.seenValidSchedule = true;
      break;
    case WAIT:
      if (v.runstate !== bits >>> 8) return false;
      break;
    case CONTINUE:
      if (v.runstate !== RUNNING || v.pcpu !== p) return false;
      next = RUNNING;
      break;
    default:
      return false;
  }
  v.wrongOldRunstate = INIT;
  updateRunstate(a, v, next, tsc);
  return true;
}
