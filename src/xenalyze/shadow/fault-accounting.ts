/**
 * How the exits of HVM guests that were page faults are accounted for, once the guest is entered again.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import { EipList } from '../hvm/eip-list.ts';
import type { HvmVcpu } from '../hvm/hvm-vcpu.ts';
import { enumerateMmio } from '../hvm/mmio.ts';
import {
  SHORT_EMULATE,
  SHORT_FIXUP,
  SHORT_MMIO,
  SHORT_PROPAGATE,
  SHORT_UNSYNC,
  updateShortSummary,
} from '../hvm/short-summary.ts';
import * as flag from './flags.ts';
import * as fault from './page-faults.ts';
import { FLAGS, PageFaults } from './page-faults.ts';

/** The page faults of a vCPU. */
export function pageFaultsOf(h: HvmVcpu): PageFaults {
  h.leavesMore = true;
  h.pageFaults ??= new PageFaults(h.recorded);
  return h.pageFaults;
}

export function postProcessPropagate(a: Analyser, h: HvmVcpu): void {
  countOutcome(a, h, SHORT_PROPAGATE);
}

export function postProcessMmio(a: Analyser, h: HvmVcpu): void {
  countOutcome(a, h, SHORT_MMIO);
  if (a.options.withMmioEnumeration) enumerateMmio(a, h);
}

export function postProcessOther(a: Analyser, h: HvmVcpu): void {
  const { outcome } = pageFaultsOf(h);
  if (outcome === 0 || outcome > fault.LAST_FAULT)
    a.warn.printf('shadow_fault_generic_postprocess: Strange, unexpected case %d\n', outcome | 0);
  else countOutcome(a, h, SHORT_PROPAGATE);
}

/** Counts the exit that ends for what became of its page fault. */
export function addOutcome(a: Analyser, h: HvmVcpu): void {
  const faults = pageFaultsOf(h);
  if (faults.outcome === 0) a.warn.text('Strange, pf_case 0!\n');
  else if (!faults.addOutcome(h.arcCycles, a.options)) a.wouldEnd();
}

function countOutcome(a: Analyser, h: HvmVcpu, purpose: number): void {
  if (!a.options.summaryInfo) return;
  addOutcome(a, h);
  updateShortSummary(a, h, purpose);
}

interface FlaggedPart {
  readonly bit: number;
  readonly part: number;
}

/** What is counted of emulated writes, by the flag that tells. */
const EMULATED_BY_FLAG: readonly FlaggedPart[] = [
  { bit: flag.PREALLOC_UNHOOK, part: fault.EMULATED_UNHOOK },
  { bit: flag.EARLY_UNSHADOW, part: fault.EMULATED_EARLY_UNSHADOW },
  { bit: flag.SET_CHANGED, part: fault.EMULATED_SET_CHANGED },
  { bit: flag.SET_FLUSH, part: fault.EMULATED_SET_FLUSH },
  { bit: flag.SET_ERROR, part: fault.EMULATED_SET_ERROR },
  { bit: flag.PROMOTE, part: fault.EMULATED_PROMOTE },
  { bit: flag.DEMOTE, part: fault.EMULATED_DEMOTE },
];

export function postProcessEmulate(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  const faults = pageFaultsOf(h);
  const flags = faults.low(FLAGS);
  if (options.summaryInfo) {
    const { arcCycles } = h;
    const { emulated } = faults;
    countEmulatedEip(a, h);
    faults.byOutcome.add(fault.EMULATE, arcCycles, options);
    emulated.add(faults.level, arcCycles, options);
    if (h.preallocUnpin) emulated.add(fault.EMULATED_UNPIN, arcCycles, options);
    for (const { bit, part } of EMULATED_BY_FLAG)
      if ((flags & bit) !== 0) emulated.add(part, arcCycles, options);
    if ((flags & flag.SET_CHANGED) === 0) emulated.add(fault.EMULATED_SET_UNCHANGED, arcCycles, options);
    updateShortSummary(a, h, SHORT_EMULATE);
  }
  if (options.scatterplotUnpinPromote) {
    if ((flags & flag.EARLY_UNSHADOW) !== 0) a.scatterplot(h.exitTsc, -10);
    plotUnpinPromote(a, h, flags);
  }
}

/** What is counted of entries put right, by the flag that tells. */
const FIXUPS_BY_FLAG: readonly FlaggedPart[] = [
  { bit: flag.UNSYNC, part: fault.FIXUP_UNSYNC },
  { bit: flag.OOS_FIXUP_ADD, part: fault.FIXUP_OOS_ADD },
  { bit: flag.OOS_FIXUP_EVICT, part: fault.FIXUP_OOS_EVICT },
  { bit: flag.PROMOTE, part: fault.FIXUP_PROMOTE },
  { bit: flag.WRMAP, part: fault.FIXUP_WRMAP },
];

export function postProcessFixup(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  const faults = pageFaultsOf(h);
  const flags = faults.low(FLAGS);
  if (options.summaryInfo) {
    const { arcCycles, preallocUnpin, resyncs } = h;
    const { fixups } = faults;
    const unsync = (flags & flag.UNSYNC) !== 0;
    faults.byOutcome.add(fault.FIXUP, arcCycles, options);
    if (preallocUnpin) fixups.add(fault.FIXUP_UNPIN, arcCycles, options);
    for (const { bit, part } of FIXUPS_BY_FLAG) if ((flags & bit) !== 0) fixups.add(part, arcCycles, options);
    if (unsync) faults.unsyncResyncs.add(Math.min(resyncs, fault.RESYNCS_MAX), arcCycles, options);
    if ((flags & flag.WRMAP_BRUTE_FORCE) !== 0 || h.wrmapBruteForce) {
      if ((flags & flag.WRMAP) !== 0) fixups.add(fault.FIXUP_BRUTE_FORCE, arcCycles, options);
      else a.warn.text('Strange: wrmap_bf but not wrmap!\n');
    }
    if (!preallocUnpin && (flags & (flag.PROMOTE | flag.UNSYNC)) === 0)
      fixups.add(fault.FIXUP_UPDATE_ONLY, arcCycles, options);
    updateShortSummary(a, h, unsync ? SHORT_UNSYNC : SHORT_FIXUP);
  }
  if (options.scatterplotUnpinPromote) plotUnpinPromote(a, h, flags);
}

/** Points where shadows were given up (0) and made (the top-level page table's id, or 2). */
function plotUnpinPromote(a: Analyser, h: HvmVcpu, flags: number): void {
  if (h.preallocUnpin) a.scatterplot(h.exitTsc, 0);
  if ((flags & flag.PROMOTE) === 0) return;
  if (!a.options.withCr3Enumeration) a.scatterplot(h.exitTsc, 2);
  else if (h.cr3Data !== undefined) a.scatterplot(h.exitTsc, h.cr3Data.id);
}

/** Counts the exit that ends for the guest's instruction that Xen emulated. */
export function countEmulatedEip({ options }: Analyser, h: HvmVcpu): void {
  const { domain } = h.vcpu;
  domain.emulateEips ??= new EipList();
  domain.emulateEips.add(h.ripHigh, h.ripLow, h.arcCycles, options);
}

/** The summary handler of exits that were page faults. */
export function printPageFaults(a: Analyser, h: HvmVcpu): void {
  h.pageFaults?.print(a);
}
