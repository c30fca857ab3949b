import type { Analyser } from './analyser.ts';
import { suitArcs } from './hvm/hvm-process.ts';
import { ERROR_STRICT } from './options.ts';
import { setPvRules } from './pv.ts';
import { countPcpuTime } from './runstates.ts';
import { processSched } from './sched.ts';
import { noteHvmTransition } from './sched-runstate.ts';
import { HVM, type Pcpu, PV, SCHED } from './state.ts';
import { CPU_CHANGE } from './trace-walk.ts';

const EXACT_MAX = Number.MAX_SAFE_INTEGER;

/**
 * The quick way through what most of a trace is made of: transitions of runstates that agree with what is known,
 * records that change nothing but how many bytes there were, and, for a summary, most of guests' records. Others that
 * do not change the order in which records come are processed on the way, one by one. All the rest are left alone.
 *
 * The way itself is WebAssembly, wasm/usual-records.ts and wasm/guest-records.ts: it takes a third of the time of the
 * same in JavaScript, and nothing at all to become warm.
 */
export class UsualRecords {
  readonly #a: Analyser;

  /** @param process What happens with records of other classes than the scheduling one. */
  constructor(a: Analyser, process: (p: Pcpu) => void) {
    this.#a = a;
    const { memory, options, run } = a;
    run.shows = options.dumpAll;
    run.countsPcpus = options.reportPcpu;
    run.defaultGuestPagingLevels = options.defaultGuestPagingLevels;
    memory.onPcpuTime = (p, tsc) => countPcpuTime(a, p, tsc);
    memory.onNewLine = (event, extraWords) => a.lines.find(event, extraWords);
    memory.onOther = process;
    memory.onHvmTransition = (p, v, old, next) => noteHvmTransition(a, p, v, old, next);
    if (suitArcs(a)) {
      run.takesGuests = true;
      run.countsGuests = options.summaryInfo;
      run.knowsSvmExits = !options.compat417;
      setPvRules(a);
    }
    memory.onRecord = (p) => processSched(a, p);
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
    if (!p.parked && !this.#isTimely(p)) return false;
    const passed = this.#a.memory.program.pass(p.address) !== 0;
    this.count(p);
    return passed;
  }

  /** Parks a pCPU before its current record, if that may be usual. */
  park(p: Pcpu): void {
    if (p.active && p.event !== CPU_CHANGE && this.#isTimely(p)) p.parked = true;
  }

  /** Whether the TSC of the current record is such as usual records have. If so, the way begins there. */
  #isTimely(p: Pcpu): boolean {
    const { firstTsc, never } = this.#a;
    const tsc = p.orderTsc;
    const isTimed = p.hasTsc && tsc === p.tsc;
    if (!isTimed || firstTsc === never || firstTsc < -EXACT_MAX || tsc < firstTsc || tsc > EXACT_MAX)
      return false;
    p.parkedFrom = p.blockAt + (p.fileOffset - p.blockOffset) / 4;
    p.parkedAt = p.parkedFrom;
    return true;
  }

  /** Moves a pCPU behind what was passed, unless it is parked. */
  count(p: Pcpu): void {
    if (!p.parked) this.#a.memory.program.count(p.address);
  }

  /** Counts the bytes of all records that were passed. */
  end(): void {
    for (const p of this.#a.pcpus) {
      if (p === undefined) continue;
      this.#a.memory.program.count(p.address);
      if (p.passedBytes > 0) p.summary = true;
      p.volume.byClass[SCHED] += p.passedBytes;
      p.volume.byClass[PV] += p.pvBytes;
      const hvm = [p.vmentryBytes, p.vmexitBytes, p.handlerBytes];
      for (const [kind, bytes] of hvm.entries()) {
        p.volume.hvm[kind] += bytes;
        p.volume.byClass[HVM] += bytes;
      }
    }
  }
}
