/**
 * What happens with a record: the time goes on, the record's class takes it, its bytes are counted.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { DOM0OP_LINES, processDom0op } from './dom0op.ts';
import { HARDWARE_LINES, processHardware } from './hardware.ts';
import { hvmLine } from './hvm/hvm-lines.ts';
import { processHvm } from './hvm/hvm-process.ts';
import type { Intervals } from './intervals.ts';
import { endLostRecords, processLostRecords } from './lost-records.ts';
import { MEMORY_LINES, processMemory } from './memory.ts';
import { processPv, pvLine } from './pv.ts';
import { processSched } from './sched.ts';
import { SCHED_LINES } from './sched-lines.ts';
import { processShadow } from './shadow/shadow-process.ts';
import {
  CLASSES,
  classOf,
  DOM0OP,
  GENERAL,
  HVM,
  IDLE_DOMAIN,
  MEMORY,
  type Pcpu,
  PV,
  SCHED,
  SHADOW,
} from './state.ts';
import { LOST_RECORDS_END, type Processor } from './trace-walk.ts';
import { UsualRecords } from './usual-records.ts';

const LOST_RECORDS = 0x0001f001;
const WRAP_BUFFER = 0x0001f002;

/** Processes records one by one. */
export class RecordProcessor implements Processor {
  readonly #a: Analyser;
  readonly #intervals: Intervals | undefined;
  readonly #dumpAll: boolean;
  readonly usual: UsualRecords | undefined;

  constructor(a: Analyser, intervals: Intervals | undefined) {
    this.#a = a;
    this.#intervals = intervals;
    a.lines.add([...SCHED_LINES, ...DOM0OP_LINES, ...MEMORY_LINES, ...HARDWARE_LINES]);
    a.lines.addClass(PV, (event, extraWords) => pvLine(a, event, extraWords));
    a.lines.addClass(HVM, (event, extraWords) => hvmLine(a, event, extraWords));
    this.#dumpAll = a.options.dumpAll;
    if (UsualRecords.suit(a)) this.usual = new UsualRecords(a, (p) => this.process(p));
  }

  /** Processes the current record of a pCPU; see {@link TraceWalk}. */
  process(p: Pcpu): void {
    const a = this.#a;
    p.summary = true;
    if (p.exactTsc !== undefined) a.run.wideTsc = p.exactTsc - a.tscBase;
    this.#advance(p);
    if (this.#dumpAll) a.beginRecord(p);
    const recordClass = classOf(p.event);
    if (recordClass < 0) {
      reportClass(a, p);
      return;
    }
    if (recordClass === SCHED) processSched(a, p);
    else {
      if (this.#dumpAll) a.makeHeader();
      if (isExpected(a, p, recordClass)) this.#processOther(p, recordClass);
    }
    p.volume.byClass[recordClass] += p.size;
    p.bufferVolume.byClass[recordClass] += p.size;
    if (p.bufferFirstTsc === a.never) p.bufferFirstTsc = p.tsc;
  }

  #processOther(p: Pcpu, recordClass: number): void {
    const a = this.#a;
    switch (recordClass) {
      case GENERAL:
        processGeneral(a, p);
        break;
      case DOM0OP:
        processDom0op(a, p);
        break;
      case HVM:
        processHvm(a, p);
        break;
      case MEMORY:
        processMemory(a, p);
        break;
      case PV:
        processPv(a, p);
        break;
      case SHADOW:
        processShadow(a, p);
        break;
      default:
        processHardware(a, p);
    }
  }

  /** Goes on to the record's time. */
  #advance(p: Pcpu): void {
    const a = this.#a;
    if (p.tsc === a.never || p.tsc < a.firstTsc) return;
    const tsc = p.orderTsc;
    if (a.firstTsc === a.never) {
      a.firstTsc = tsc;
      this.#intervals?.begin(tsc);
    } else this.#intervals?.advance(tsc);
    a.run.lastTsc = tsc;
  }
}

function reportClass(a: Analyser, { event }: Pcpu): void {
  const main = (event >>> 16) & 0xfff;
  let bits = 0;
  for (let bit = 0; bit < CLASSES; bit++) bits += (main >>> bit) & 1;
  a.warn.printf(
    'FATAL: unexpected number bits(%d) in evt.main! event %x main %x sub %x minor %x\n',
    bits,
    event,
    main,
    (event >>> 12) & 15,
    event & 0xfff,
  );
  a.error(4);
  // Where it tolerates the record, xenalyze reads it again and again.
  a.wouldEnd();
}

/** Whether what runs on the pCPU is what makes records of this class; if not, says so. */
function isExpected(a: Analyser, p: Pcpu, recordClass: number): boolean {
  if (recordClass !== HVM && recordClass !== SHADOW && recordClass !== PV) return true;
  const { current } = p;
  if (current === undefined) a.warn.text('WARNING: p->current null!  Not processing\n');
  else if (current.domain.id === IDLE_DOMAIN)
    a.warn.text('WARNING: Unexpected record for idle domain! Not processing\n');
  else {
    const expected = recordClass === PV ? 2 : 1;
    const actual = current.hvm !== undefined ? 1 : current.pv !== undefined ? 2 : 0;
    if (actual === 0 || actual === expected) return true;
    a.warn.printf(
      'WARNING: Unexpected vcpu data type for %s on proc %d! Expected %d got %d. Not processing\n',
      current.label,
      p.number,
      expected,
      actual,
    );
  }
  a.dumpGeneric(a.warn, p);
  return false;
}

/** Records about the trace itself. */
function processGeneral(a: Analyser, p: Pcpu): void {
  if (p.event === LOST_RECORDS) processLostRecords(a, p);
  else if (p.event === LOST_RECORDS_END) endLostRecords(a, p);
  else if (p.event !== WRAP_BUFFER) a.processGeneric(p);
}
