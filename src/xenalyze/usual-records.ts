import type { Analyser } from './analyser.ts';
import { ERROR_STRICT } from './options.ts';
import type { RecordLines } from './record-lines.ts';
import { passRunstate, updatePcpuRunstate } from './runstates.ts';
import { processSched } from './sched.ts';
import { dumpRunstate } from './sched-runstate.ts';
import { BLOCKED, INIT, OFFLINE, type Pcpu, RUNNABLE, RUNNING, type Vcpu } from './state.ts';
import { RECORD_WORDS } from './trace-walk.ts';

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
const TRANSITIONS = new Uint8Array(0x1000);
for (let old = RUNNING; old <= OFFLINE; old++) {
  if (old !== RUNNING) TRANSITIONS[(RUNNING << 8) | (old << 4) | 1] = STOP;
  for (let next = RUNNABLE; old !== RUNNING && next <= OFFLINE; next++)
    if (old !== RUNNABLE || next !== BLOCKED) TRANSITIONS[(old << 8) | (next << 4) | 1] = WAIT;
}
TRANSITIONS[(RUNNABLE << 8) | (RUNNING << 4) | 1] = START;
for (let bits = 2; bits < TRANSITIONS.length; bits += 16) TRANSITIONS[bits] = CONTINUE;

/**
 * The quick way through what most of a trace is made of: transitions of runstates that agree with what is known, and
 * records that change nothing but how many bytes there were. All others are left alone.
 */
export class UsualRecords {
  readonly #a: Analyser;
  readonly #dumpAll: boolean;
  readonly #lines: RecordLines;

  /** @param lines How scheduling records are shown. */
  constructor(a: Analyser, lines: RecordLines) {
    this.#a = a;
    this.#dumpAll = a.options.dumpAll;
    this.#lines = lines;
  }

  /** Whether the options want nothing of such records but what {@link pass} does. */
  static suit({ options, watchesRunstates }: Analyser): boolean {
    const { dumpRawReads, dumpRawProcess, dumpNoProcessing, tolerance } = options;
    const isShown = dumpRawReads || dumpRawProcess || dumpNoProcessing;
    return !isShown && !watchesRunstates && tolerance >= ERROR_STRICT;
  }

  /**
   * Goes from the current record of a pCPU on, as long as records are usual, in its turn, and in its block of the file.
   * Returns whether there were any; the pCPU's place in the file is behind them. If the next record is usual as well,
   * but not in its turn, the pCPU is parked, and its place in the file and its volume wait for the end of that.
   */
  pass(p: Pcpu): boolean {
    const a = this.#a;
    const dumpAll = this.#dumpAll;
    const { firstTsc } = a;
    const { words, skewOffset } = p;
    let tsc = p.orderTsc;
    if (!p.parked) {
      const isTimed = p.hasTsc && tsc === p.tsc;
      if (!isTimed || firstTsc === a.never || firstTsc < -EXACT_MAX || tsc < firstTsc || tsc > EXACT_MAX)
        return false;
      p.parkedFrom = (p.fileOffset - p.blockOffset) / 4;
      p.parkedAt = p.parkedFrom;
    }
    const { baseHigh } = a;
    const lowOffset = skewOffset - a.baseLow;
    const turnEnd = Math.min(p.turnEnd, EXACT_MAX);
    const first = p.parkedAt;
    const end = p.blockWords - RECORD_WORDS;
    let next = tsc;
    let at = first;
    let isLate = false;
    do {
      const header = words[at];
      const timed = header >>> 31;
      const kind = KINDS[(header >>> 12) & 0xffff];
      if (kind === UNUSUAL) break;
      if (timed !== 0 && at !== first) {
        next = (words[at + 2] - baseHigh) * 4294967296 + (words[at + 1] + lowOffset);
        if (next > turnEnd || next < firstTsc) {
          isLate = next > turnEnd && next <= EXACT_MAX;
          break;
        }
      }
      if (kind === RUNSTATE) {
        const v = vcpuOf(a, p, words[at + 3] | 0);
        if (v === undefined || timed === 0) break;
        const transition = usualTransition(a, p, v, header & 0xfff);
        if (transition === UNUSUAL) break;
        if (dumpAll) {
          p.tsc = next;
          this.#take(p, header, at, timed);
          dumpRunstate(a, p);
        }
        makeTransition(a, p, v, transition, (header >>> 4) & 15, next);
      } else if (dumpAll) {
        p.tsc = next;
        this.#take(p, header, at, timed);
        if (!this.#lines.write(a, p)) processSched(a, p, this.#lines);
      }
      tsc = next;
      at += 1 + timed * 2 + ((header >>> 28) & 7);
    } while (at <= end);
    p.parkedAt = at;
    p.parked = isLate;
    if (at !== first) {
      p.lastTsc = tsc;
      a.lastTsc = tsc;
    }
    if (isLate) {
      p.orderTsc = next;
      return true;
    }
    const bytes = (at - p.parkedFrom) * 4;
    if (bytes !== 0) this.#count(p, bytes);
    if (at === first) return false;
    p.orderTsc = tsc;
    return true;
  }

  #count(p: Pcpu, bytes: number): void {
    p.summary = true;
    p.volume.byClass[SCHED] += bytes;
    p.fileOffset += bytes;
  }

  /** Makes a record the current one of its pCPU, as far as its line needs that. */
  #take(p: Pcpu, header: number, at: number, timed: number): void {
    p.event = header & 0x0fffffff;
    p.extraWords = (header >>> 28) & 7;
    p.wordsAt = at + 1 + timed * 2;
    this.#a.beginRecord(p);
  }
}

/** The vCPU of a runstate record, if it is known: mostly it runs on the pCPU. */
function vcpuOf(a: Analyser, p: Pcpu, word: number): Vcpu | undefined {
  const { current } = p;
  return current !== undefined && current.word === word ? current : a.knownVcpu(word);
}

/** What kind of transition it is, if it agrees with what is known of the vCPU and the pCPU. */
function usualTransition(a: Analyser, p: Pcpu, v: Vcpu, bits: number): number {
  if (v.hvm !== undefined) return UNUSUAL;
  const transition = TRANSITIONS[bits];
  let isUsual = false;
  if (transition === STOP)
    isUsual = v.runstate === RUNNING && p.current === v && v.pcpu === p && a.lostCpus === 0;
  else if (transition === START)
    isUsual = v.runstate === RUNNABLE && p.current === undefined && v.pcpu === p && v.activated;
  else if (transition === WAIT) isUsual = v.runstate === bits >>> 8;
  else if (transition === CONTINUE) isUsual = v.runstate === RUNNING && v.pcpu === p;
  return isUsual ? transition : UNUSUAL;
}

/** Makes a transition. */
function makeTransition(
  a: Analyser,
  p: Pcpu,
  v: Vcpu,
  transition: number,
  runstate: number,
  tsc: number,
): void {
  if (transition === STOP) {
    updatePcpuRunstate(a, p, tsc);
    p.current = undefined;
  } else if (transition === START) {
    p.current = v;
    p.timeTsc = tsc;
    p.seenValidSchedule = true;
  }
  v.wrongOldRunstate = INIT;
  passRunstate(a, v, transition === CONTINUE ? RUNNING : runstate, tsc);
}
