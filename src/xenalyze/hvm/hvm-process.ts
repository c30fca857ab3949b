import type { Analyser } from '../analyser.ts';
import { ERROR_RECORD } from '../options.ts';
import type { Pcpu } from '../state.ts';
import {
  ENTRY,
  ENTRY_AFTER,
  ENTRY_AFTER_LONG,
  EVENT_64,
  EXIT_HANDLERS,
  IN_EXIT,
  LONG_EXIT,
  NO_EXIT,
  POST_BY_HANDLER,
  POST_NONE,
  POST_OWN,
} from '../wasm/walk-layout.ts';
import { EXTERNAL_INTERRUPT, SVM_EVENT_REASONS, SVM_REASONS, VMX_REASONS } from './exit-reasons.ts';
import { processHandler, setHandlerRules } from './handlers.ts';
import { exitEvent, SVM_EXIT, VMEXIT } from './hvm-lines.ts';
import { type HvmVcpu, setHvm } from './hvm-vcpu.ts';
import { postProcessByHandler } from './post-process.ts';
import {
  SHORT_HLT,
  SHORT_INTERRUPT,
  SHORT_OTHER,
  SHORT_VMCALL,
  updateShortSummary,
} from './short-summary.ts';
import { finishIpis } from './vlapic.ts';
import { startIntervals } from './wake-to-halt.ts';

/** Bits 12 to 15 of an event. */
const HANDLER = 2;

const VMENTRY = 0x81001;

/** Kinds of HVM records by whose bytes the volume is told. */
const VOLUME_VMENTRY = 0;
const VOLUME_VMEXIT = 1;
const VOLUME_HANDLER = 2;

/** What an exit was for, by the handler that recorded something last. */
const PURPOSE_OF_HANDLER = new Map([
  [0x12, SHORT_VMCALL],
  [0x0f, SHORT_INTERRUPT],
  [0x13, SHORT_HLT],
]);

/** A record of the HVM class, of the vCPU that its pCPU runs. */
export function processHvm(a: Analyser, p: Pcpu): void {
  const { current } = p;
  if (current === undefined) return;
  const { compat417 } = a.options;
  if (!setHvm(a, current)) return;
  const h = current.hvm as HvmVcpu;
  if (subclassOf(p) === HANDLER) {
    countVolume(p, VOLUME_HANDLER);
    processHandler(a, p, h);
  } else if (p.event === VMENTRY) {
    countVolume(p, VOLUME_VMENTRY);
    processVmentry(a, p, h);
  } else if ((p.event & ~EVENT_64) === VMEXIT || (!compat417 && isSvmExit(p.event))) {
    countVolume(p, VOLUME_VMEXIT);
    processVmexit(a, p, h);
  } else a.warn.printf('Unknown hvm event: %x\n', p.event);
}

function subclassOf({ event }: Pcpu): number {
  return (event >>> 12) & 15;
}

function isSvmExit(event: number): boolean {
  return (event & ~EVENT_64) === SVM_EXIT;
}

function countVolume(p: Pcpu, kind: number): void {
  p.volume.hvm[kind] += p.size;
  p.bufferVolume.hvm[kind] += p.size;
}

function processVmexit(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const { vcpu } = h;
  const { options } = a;
  const is64 = (p.event & EVENT_64) !== 0;
  if (!a.hasExtraWords(p, is64 ? 12 : 8, 'vmexit')) return;
  setReasons(a, p, h);
  h.vmexitValid = true;
  h.recorded.fill(0);
  h.mmio.clear();
  h.pageFaults?.clear();
  h.leavesMore = false;

  h.exitReason = p.word(0);
  h.ripLow = p.word(1);
  h.ripHigh = is64 ? p.word(2) : 0;
  if (is64) {
    vcpu.guestPagingLevels = 4;
    if (!isSignExtended(h.ripHigh)) a.warn.printf('hvm_vmexit_process: invalid va %llx\n', p.bigint(1));
  } else if (vcpu.guestPagingLevels === 4) {
    const { defaultGuestPagingLevels } = options;
    vcpu.guestPagingLevels = defaultGuestPagingLevels === 4 ? 2 : defaultGuestPagingLevels;
  }
  if (options.scatterplotVmexitEip)
    a.scatterplot(p.tsc, BigInt.asIntN(64, (BigInt(h.ripHigh) << 32n) | BigInt(h.ripLow)));
  if (!isReason(a, p, h)) return;
  a.lines.dump(p, exitEvent(h.reasons, is64), IN_EXIT);

  if (h.cr3Data !== undefined && h.entryTsc !== a.never) {
    h.cr3Data.guestTime.add(p.tsc - h.entryTsc, options);
    h.cr3Data.runTime += p.tsc - h.entryTsc;
  }
  h.exitTsc = p.tsc;
  h.exactExitTsc = p.exactTsc;
  h.entryTsc = a.never;
  h.resyncs = 0;
  h.preallocUnpin = false;
  h.wrmapBruteForce = false;
  h.shortSummaryDone = false;
  h.post = POST_BY_HANDLER;
}

/** The first exit of a vCPU decides how its reasons are read. */
function setReasons(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  if (h.reasons !== undefined) return;
  if (isSvmExit(p.event)) a.hvm.svm = true;
  let reasons = VMX_REASONS;
  if (a.hvm.svm) reasons = a.options.svmMode ? SVM_REASONS : SVM_EVENT_REASONS;
  h.reasons = reasons;
  if (a.hvm.reasons === undefined) {
    a.hvm.reasons = reasons;
    setHandlerRules(a);
  }
  a.run.reasonMax = reasons.max;
  a.run.exitEvent = exitEvent(reasons, false);
  // What the quick way learns of reasons is of one kind.
  if (reasons !== a.hvm.reasons) a.run.takesGuests = false;
}

function isReason(a: Analyser, p: Pcpu, { exitReason, reasons }: HvmVcpu): boolean {
  if (reasons === undefined || exitReason <= reasons.max) return true;
  a.warn.printf('h->exit_reason %x > exit_reason_max %x!\n', exitReason, reasons.max);
  a.error(ERROR_RECORD, p);
  return false;
}

/** Whether an address of 64 bits, by its high word, is one of the 48 bits that there are. */
function isSignExtended(high: number): boolean {
  return high >>> 16 === (high & 0x8000 ? 0xffff : 0);
}

/** The guest is entered again, or stops running: accounts for the exit. */
export function closeVmexit(a: Analyser, h: HvmVcpu, tsc: number): void {
  const { options } = a;
  if (h.exitTsc !== a.never) {
    h.arcCycles = Math.max(0, tsc - h.exitTsc);
    if (tsc >= h.exitTsc) countExit(a, h, tsc);
  }
  if (h.post === POST_BY_HANDLER) postProcessByHandler(a, h);
  else if (h.post === POST_OWN) h.postProcess?.(a, h);
  if (h.arcCycles !== 0) {
    if (options.summaryInfo && !h.shortSummaryDone)
      updateShortSummary(a, h, PURPOSE_OF_HANDLER.get(h.eventHandler) ?? SHORT_OTHER);
    if (h.cr3Data !== undefined) {
      h.cr3Data.runTime += h.arcCycles;
      if (options.summaryInfo) h.cr3Data.xenTime.add(h.arcCycles, options);
    }
  }
  h.exitTsc = a.never;
  h.vmexitValid = false;
  h.post = POST_NONE;
}

/** Whether options want nothing of exits but lines, or their summary, which does not tell what they were for. */
export function suitArcs({ options }: Analyser): boolean {
  const isWatched = options.scatterplotVmexitEip || options.scatterplotRdtsc || options.withCr3Enumeration;
  return !isWatched && options.scatterplotExtintCycles === undefined;
}

function countExit(a: Analyser, h: HvmVcpu, tsc: number): void {
  const { options, out } = a;
  if (options.summaryInfo) {
    if (h.exitReason < EXIT_HANDLERS) a.runstateLog.countExit(h.vcpu.index, h.exitReason, h.arcCycles);
    h.summaryInfo = true;
  }
  if (h.exitReason === EXTERNAL_INTERRUPT && h.detail === options.scatterplotExtintCycles) {
    a.setTime(tsc);
    out.printf('%s %u.%09u %lld\n', h.vcpu.label, a.seconds, a.nanoseconds, h.arcCycles);
  }
}

function processVmentry(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  // Interrupts are injected on the way into the guest, after the exit's records.
  finishIpis(a, h.vcpu, p.tsc);
  startIntervals(a, p, h);
  h.awaitsEntry = false;
  dumpEntry(a, p, h);
  if (!h.vmexitValid) return;
  closeVmexit(a, h, p.tsc);
  h.entryTsc = p.tsc;
}

function dumpEntry({ lines, never, run }: Analyser, p: Pcpu, { exitTsc, vmexitValid }: HvmVcpu): void {
  if (!vmexitValid) {
    lines.dump(p, ENTRY, NO_EXIT);
    return;
  }
  const cycles = p.tsc - exitTsc;
  run.exitCycles = exitTsc === never ? Number.POSITIVE_INFINITY : cycles;
  // Unsigned in xenalyze: a negative number is long, too.
  const isLong = cycles > LONG_EXIT || cycles < 0;
  lines.dump(p, isLong ? ENTRY_AFTER_LONG : ENTRY_AFTER, IN_EXIT);
}
