import type { TraceSource } from '../decoder/index.ts';
import type { Analyser } from './analyser.ts';
import { FileBlocks } from './file-blocks.ts';
import { PcpuOrder } from './pcpu-order.ts';
import { activateDefaultVcpu, loseVcpu, updatePcpuRunstate } from './runstates.ts';
import type { Pcpu } from './state.ts';
import type { UsualRecords } from './usual-records.ts';
import {
  BEGINS,
  PAUSED,
  PCPUS_MAX,
  RECORD_BYTES,
  RECORD_WORDS,
  TRIED_AND_PASSED,
  WINDOW_HEADER_BYTES,
  XENALYZE_PCPUS,
} from './wasm/walk-layout.ts';

/** TRC_TRACE_CPU_CHANGE: the header of a window. */
export const CPU_CHANGE = 0x0001f003;
const LOST_RECORDS = 0x0001f001;
/** The first of two words that tell since when records were lost. */
const LOSS_START = 2;
/** The second look at a record of lost records, when its own time has come; no event of a trace. */
export const LOST_RECORDS_END = 0x0001f032;
const EVENT_MASK = 0x0fffffff;
const EXACT_MAX = Number.MAX_SAFE_INTEGER;
const TURNS_BETWEEN_PROGRESS = 16_384;

/** No real host has pCPUs with higher numbers. */
const PCPU_NUMBER_MAX = PCPUS_MAX - 1;

/** What is done with records. */
export interface Processor {
  /** Called with each record that is no window header, in order. */
  process(pcpu: Pcpu): void;
  /** The quick way, if there is one. */
  readonly usual: UsualRecords | undefined;
}

export interface WalkHooks {
  /** Called after each read of a record, window headers included. */
  readonly onRead?: ((pcpu: Pcpu) => void) | undefined;
  /** Called when a pCPU enters a window of its own. */
  readonly onWindow?: ((pcpu: Pcpu, windowBytes: number) => void) | undefined;
  readonly onProgress?: ((offset: number) => void) | undefined;
}

/**
 * Goes through a trace in xenalyze's order: a cursor for each pCPU hops from window to window; the pCPU whose next
 * record is the earliest comes next, and of equal ones the one that was last put in its place. TSC skew, once told,
 * moves what is still to come. Windows are believed: where they lie, what is read is what xenalyze reads there.
 *
 * It has the file's bytes rather than the decoder's batches below it because of three things that show in what xenalyze
 * prints: the order depends on what was found in the records so far, a damaged file is read differently, and bytes
 * behind a record are shown.
 */
export class TraceWalk {
  readonly #a: Analyser;
  readonly #source: TraceSource;
  readonly #blocks: FileBlocks;
  readonly #order: PcpuOrder;
  #earlyEof = false;
  /** Where the last header was that was looked at for a new pCPU. */
  #scannedOffset = Number.POSITIVE_INFINITY;
  readonly #processor: Processor;
  readonly #usual: UsualRecords | undefined;
  readonly #onRead: ((pcpu: Pcpu) => void) | undefined;
  readonly #onWindow: ((pcpu: Pcpu, windowBytes: number) => void) | undefined;
  readonly #onProgress: ((offset: number) => void) | undefined;

  constructor(a: Analyser, source: TraceSource, processor: Processor, hooks: WalkHooks) {
    this.#a = a;
    this.#source = source;
    this.#blocks = new FileBlocks(a, source);
    this.#processor = processor;
    this.#usual = processor.usual;
    this.#order = new PcpuOrder(a.memory);
    this.#onRead = hooks.onRead;
    this.#onWindow = hooks.onWindow;
    this.#onProgress = hooks.onProgress;
  }

  /** Finds the pCPUs of the first sweep. */
  begin(): void {
    let offset = 0;
    do {
      offset = this.#scanForNewPcpu(offset);
      if (offset === 0) this.#a.warn.text('init_pcpus: through first trace write, done for now.\n');
    } while (offset !== 0);
  }

  /** Processes all records. */
  run(): void {
    const order = this.#order;
    const isFollowed = this.#onRead !== undefined || this.#onWindow !== undefined;
    this.#a.run.hops = !isFollowed && !this.#earlyEof;
    for (;;) {
      const pcpu = order.nextTurn(TURNS_BETWEEN_PROGRESS);
      if (pcpu === undefined) break;
      if (order.howFar === PAUSED) this.#onProgress?.(pcpu.fileOffset);
      else {
        this.#takeTurn(pcpu, order.howFar);
        if (pcpu.active) order.place(pcpu);
      }
    }
    this.#usual?.end();
  }

  /**
   * Processes a pCPU's records up to the next one of another pCPU, or until its window ends.
   *
   * @param howFar Whether the quick way has gone as far as it can already, from the record that was parked on.
   */
  #takeTurn(pcpu: Pcpu, howFar: number): void {
    const processor = this.#processor;
    const usual = this.#usual;
    let isTried = howFar !== BEGINS;
    if (isTried) usual?.count(pcpu);
    do {
      const wasParked = isTried || pcpu.parked;
      if (!wasParked && pcpu.event === CPU_CHANGE) {
        this.#changeWindow(pcpu);
        this.#readNext(pcpu);
        usual?.park(pcpu);
        return;
      }
      if (isTried ? howFar === TRIED_AND_PASSED : usual?.pass(pcpu)) {
        if (pcpu.parked) return;
      } else {
        if (wasParked) this.#unpark(pcpu);
        processor.process(pcpu);
        if (pcpu.event === LOST_RECORDS) {
          this.#expectEndOfLoss(pcpu);
          return;
        }
        pcpu.fileOffset += pcpu.size;
      }
      isTried = false;
      this.#readNext(pcpu);
    } while (pcpu.orderTsc <= this.#a.run.turnEnd && pcpu.active);
  }

  /** Reads a record whose TSC is known already: since then, that of its pCPU may have been found to be out of step. */
  #unpark(pcpu: Pcpu): void {
    const { orderTsc } = pcpu;
    this.#read(pcpu);
    pcpu.tsc = orderTsc;
    pcpu.lastTsc = orderTsc;
  }

  /** A record of lost records is processed a second time, at the time at which it was written. */
  #expectEndOfLoss(pcpu: Pcpu): void {
    const a = this.#a;
    pcpu.event = LOST_RECORDS_END;
    if (pcpu.tsc > pcpu.orderTsc) {
      pcpu.orderTsc = pcpu.tsc;
      return;
    }
    const tsc = a.exact(pcpu);
    const orderTsc = hasLossStart(pcpu) ? pcpu.bigint(LOSS_START) + BigInt(pcpu.skewOffset) : tsc;
    a.warn.printf(
      'Strange, lost_record ri->tsc %lld !> p->order_tsc %lld!\n',
      BigInt.asIntN(64, tsc),
      BigInt.asIntN(64, orderTsc),
    );
    a.error(5);
  }

  /** Reads the record at the pCPU's place in the file; where there is none, the pCPU is done. */
  #readNext(pcpu: Pcpu): void {
    if (this.#read(pcpu)) {
      this.#takeTsc(pcpu);
      return;
    }
    pcpu.size = 0;
    this.#a.warn.printf('read_record: read returned zero, deactivating pcpu %d\n', pcpu.number);
    this.#deactivate(pcpu);
  }

  /** Takes the header and the length of the record at the pCPU's place. Returns whether there is a whole one. */
  #read(pcpu: Pcpu): boolean {
    let inBlock = (pcpu.fileOffset - pcpu.blockOffset) / 4;
    if (inBlock < 0 || inBlock + RECORD_WORDS > pcpu.blockWords || !Number.isInteger(inBlock)) {
      const got = this.#blocks.load(pcpu);
      if (got < RECORD_BYTES && !this.#isWhole(pcpu, got)) return false;
      inBlock = 0;
    }
    const at = pcpu.blockAt + inBlock;
    pcpu.recordOffset = pcpu.fileOffset;
    const header = pcpu.words[at];
    const timed = header >>> 31;
    pcpu.event = header & EVENT_MASK;
    pcpu.extraWords = (header >>> 28) & 7;
    pcpu.hasTsc = timed === 1;
    pcpu.wordsAt = at + 1 + timed * 2;
    pcpu.size = (pcpu.extraWords + 1 + timed * 2) * 4;
    return true;
  }

  #takeTsc(pcpu: Pcpu): void {
    if (pcpu.hasTsc) {
      const a = this.#a;
      const { words, wordsAt } = pcpu;
      const tsc = a.relative(words[wordsAt - 1], words[wordsAt - 2]) + pcpu.skewOffset;
      pcpu.tsc = tsc;
      if (tsc > EXACT_MAX || tsc < -EXACT_MAX || pcpu.exactTsc !== undefined) this.#takeExactTsc(pcpu);
      if (pcpu.firstTsc === a.never) pcpu.firstTsc = tsc;
      if (pcpu.event === LOST_RECORDS && hasLossStart(pcpu)) {
        const from = wordsAt + LOSS_START;
        pcpu.orderTsc = a.relative(words[from + 1], words[from]) + pcpu.skewOffset;
      } else pcpu.orderTsc = tsc;
      pcpu.lastTsc = tsc;
    } else pcpu.tsc = pcpu.lastTsc;
    this.#onRead?.(pcpu);
  }

  #takeExactTsc(pcpu: Pcpu): void {
    const { tsc, words, wordsAt, skewOffset } = pcpu;
    if (Math.abs(tsc) <= EXACT_MAX) pcpu.exactTsc = undefined;
    else {
      const inFile = (BigInt(words[wordsAt - 1]) << 32n) | BigInt(words[wordsAt - 2]);
      pcpu.exactTsc = BigInt.asUintN(64, inFile + BigInt(skewOffset));
    }
  }

  /** Whether `got` bytes at the end of the file hold the whole record that begins there. */
  #isWhole(pcpu: Pcpu, got: number): boolean {
    const a = this.#a;
    if (got === 0) return false;
    if (got < 4) {
      a.stderr.printf('__read_record: short read (%zd bytes)\n', got);
      a.error(8);
      return false;
    }
    const header = pcpu.words[pcpu.blockAt];
    const size = (1 + ((header >>> 28) & 7) + (header >>> 31) * 2) * 4;
    if (got >= size) return true;
    a.stderr.printf('__read_record: short read (%zd, expected %zd)\n', got, size);
    return false;
  }

  /** A window header: enters the window where it is the pCPU's own, or else hops to the next one. */
  #changeWindow(pcpu: Pcpu): void {
    const window = pcpu.signed(0);
    const bytes = pcpu.word(1);
    if (pcpu.fileOffset !== pcpu.nextCpuChangeOffset) this.#reportPlace(pcpu);
    this.#noteWindow(pcpu, window, pcpu.fileOffset);
    if (pcpu.number === window) {
      this.#enterWindow(pcpu, pcpu.size, bytes);
      return;
    }
    pcpu.fileOffset += (pcpu.size + bytes) >>> 0;
    pcpu.nextCpuChangeOffset = pcpu.fileOffset;
    this.#checkEnd(pcpu);
    // A pCPU that was found here has its turn first: it may have records that are earlier.
    if (this.#onRead === undefined && this.#order.isFirst(pcpu)) this.#hop(pcpu);
  }

  #enterWindow(pcpu: Pcpu, headerBytes: number, bytes: number): void {
    const a = this.#a;
    this.#onWindow?.(pcpu, bytes);
    pcpu.fileOffset += headerBytes;
    pcpu.nextCpuChangeOffset = pcpu.fileOffset + bytes;
    if (pcpu.nextCpuChangeOffset > this.#source.bytes) this.#beginEarlyEof();
    else if (pcpu.number === a.run.maxActivePcpu) this.#scanForNewPcpu(pcpu.nextCpuChangeOffset);
  }

  /** Hops over windows of other pCPUs as long as nothing but that happens, and enters the pCPU's own one. */
  #hop(pcpu: Pcpu): void {
    const { program } = this.#a.memory;
    if (!this.#earlyEof) while (program.leap(pcpu.address));
    // There it has to be read: what lies behind a record is what was read before.
    if (pcpu.fileOffset + RECORD_BYTES > this.#source.bytes) return;
    const bytes = program.findOwn(pcpu.address);
    if (bytes < 0) return;
    pcpu.recordOffset = pcpu.fileOffset;
    this.#noteWindow(pcpu, pcpu.number, pcpu.fileOffset);
    this.#enterWindow(pcpu, WINDOW_HEADER_BYTES, bytes);
  }

  #noteWindow(pcpu: Pcpu, window: number, offset: number): void {
    const a = this.#a;
    if ((window > XENALYZE_PCPUS || window < 0) && !a.run.ended) {
      a.stderr.printf('FATAL: cpu %d > MAX_CPUS %d.\n', window, XENALYZE_PCPUS);
      a.error(7);
    }
    if (pcpu.lastCpuChangePcpu > window && offset > this.#a.run.lastEpoch) this.#a.run.lastEpoch = offset;
    if (window >= 0 && window <= PCPU_NUMBER_MAX) {
      const other = a.pcpu(window);
      if (!other.active && other.fileOffset === 0) {
        if (window > a.run.maxActivePcpu) a.run.maxActivePcpu = window;
        this.#activate(other, offset, 'process_cpu_change');
        other.tsc = pcpu.tsc;
        this.#insert(other);
        activateDefaultVcpu(a, other);
      }
    }
    pcpu.lastCpuChangePcpu = window;
  }

  #reportPlace({ number, nextCpuChangeOffset, fileOffset }: Pcpu): void {
    this.#a.warn.printf(
      'Strange, pcpu %d expected offset %llx, actual %llx!\n',
      number,
      nextCpuChangeOffset,
      fileOffset,
    );
  }

  /** What happens when a hop has led behind the end of the file, or of its last complete sweep. */
  #checkEnd(pcpu: Pcpu): void {
    if (pcpu.fileOffset > this.#source.bytes) this.#beginEarlyEof();
    else if (this.#earlyEof && pcpu.fileOffset > this.#a.run.lastEpoch) {
      this.#a.warn.printf(
        'process_cpu_change: early_eof activated, pcpu %d past last_epoch_offset %llx, deactivating.\n',
        pcpu.number,
        this.#a.run.lastEpoch,
      );
      this.#deactivate(pcpu);
    }
  }

  /** Makes a pCPU known whose window header is at `offset`; that header is the first record that it processes. */
  #activate(pcpu: Pcpu, offset: number, by: string): void {
    const a = this.#a;
    a.warn.printf('%s: Activating pcpu %d at offset %lld\n', by, pcpu.number, offset);
    pcpu.active = true;
    pcpu.fileOffset = offset;
    pcpu.nextCpuChangeOffset = offset;
    this.#read(pcpu);
  }

  /**
   * Looks at the window header at `offset`; where it is that of a pCPU that is not active, activates it. Returns the
   * offset behind its window, or 0.
   */
  #scanForNewPcpu(offset: number): number {
    const a = this.#a;
    const scannedBefore = this.#scannedOffset;
    this.#scannedOffset = offset;
    const found = this.#blocks.peek(offset, (message) => a.stderr.text(message));
    if (found === undefined) return 0;
    if (found.event !== CPU_CHANGE || found.timed) {
      a.stderr.printf('scan_for_new_pcpu: Unexpected record event %x!\n', found.event);
      a.error(7);
      return 0;
    }
    const { window, bytes, size } = found;
    if (window > XENALYZE_PCPUS || window < 0) {
      if (!a.run.ended)
        a.stderr.printf('scan_for_new_pcpu: cpu %d exceeds MAX_CPU %d!\n', window, XENALYZE_PCPUS);
      a.error(7);
      if (window < 0 || window > PCPU_NUMBER_MAX) return 0;
    }
    const pcpu = a.pcpu(window);
    if (window <= a.run.maxActivePcpu && pcpu.active) return 0;
    const before = pcpu.fileOffset;
    // 4.17 reads it over the one before it, on its stack.
    pcpu.recordOffset = scannedBefore;
    this.#activate(pcpu, offset, 'scan_for_new_pcpu');
    // What is shown of this read has the place that the pCPU had before.
    pcpu.fileOffset = before;
    this.#takeTsc(pcpu);
    pcpu.fileOffset = offset;
    this.#insert(pcpu);
    activateDefaultVcpu(a, pcpu);
    if (window > a.run.maxActivePcpu) a.run.maxActivePcpu = window;
    return offset + size + bytes;
  }

  /** A pCPU has no more records, or none that are to be processed. */
  #deactivate(pcpu: Pcpu): void {
    const a = this.#a;
    const { current } = pcpu;
    if (current !== undefined) {
      updatePcpuRunstate(a, pcpu, pcpu.lastTsc);
      a.warn.printf('deactivate_pcpu: setting %s to state LOST\n', current.label);
      loseVcpu(a, current, pcpu.lastTsc);
    }
    pcpu.active = false;
    if (!this.#order.remove(pcpu)) a.wouldEnd();
    if (pcpu.number !== a.run.maxActivePcpu) return;
    a.run.maxActivePcpu = a.pcpus.findLastIndex((other) => other?.active === true);
    a.warn.printf('deactivate_pcpu: Setting max_active_pcpu to %d\n', a.run.maxActivePcpu);
  }

  /**
   * A window reaches behind the end of the file: the pCPUs that are behind the last complete sweep stop, because the
   * others have no records there.
   */
  #beginEarlyEof(): void {
    const a = this.#a;
    a.warn.text('Short cpu_change window, activating early_eof\n');
    this.#earlyEof = true;
    a.run.hops = false;
    this.#order.becomeList();
    for (let number = 0; number <= a.run.maxActivePcpu; number++) {
      const pcpu = a.pcpus[number];
      if (pcpu?.active !== true || pcpu.fileOffset <= this.#a.run.lastEpoch) continue;
      a.warn.printf(' deactivating pid %d\n', number);
      pcpu.active = false;
    }
  }

  #insert(pcpu: Pcpu): void {
    if (this.#order.includes(pcpu)) this.#a.wouldEnd();
    else this.#order.insert(pcpu);
  }
}

/** Whether a record of lost records tells since when. */
function hasLossStart({ extraWords }: Pcpu): boolean {
  return extraWords === 4;
}
