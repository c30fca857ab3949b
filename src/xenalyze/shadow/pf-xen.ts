import type { Analyser } from '../analyser.ts';
import { type HvmVcpu, setSummaryHandler } from '../hvm/hvm-vcpu.ts';
import type { Pcpu } from '../state.ts';
import { IN_EXIT } from '../wasm/walk-layout.ts';
import { addOutcome, countEmulatedEip, pageFaultsOf, printPageFaults } from './fault-accounting.ts';
import { setFaultPostProcess } from './fault-records.ts';
import { isCanonical, mappedVa, walkGuest } from './guest-walk.ts';
import {
  EIP_KERNEL,
  EIP_USER,
  EMULATE,
  ERROR_CODE,
  MMIO,
  NOT_EMULATED,
  type PageFaults,
  VA,
  VA_KERNEL,
  VA_USER,
} from './page-faults.ts';

/** The event of a page fault with an address of 64 bits. */
const PF_XEN64 = 0x82101;

/**
 * A page fault of the guest, as Xen's handler of exits records it where no shadow page tables are in use or traced.
 *
 * The address is read first and the error code after it, as all versions of xenalyze do. Xen writes the code first.
 */
export function processPfXen(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const wide = p.event === PF_XEN64;
  const levels = h.vcpu.guestPagingLevels;
  if (wide !== (levels === 4))
    a.warn.printf('Strange, PF_XEN%s but guest_paging_levels %d!\n', wide ? '64' : '', levels);
  const fault = pageFaultsOf(h);
  fault.set(VA, wide ? p.word(1) : 0, p.word(0));
  fault.set(ERROR_CODE, 0, p.word(wide ? 2 : 1));
  if (wide && !isCanonical(fault.high(VA)))
    a.warn.printf('hvm_pf_xen_preprocess: invalid va %llx', fault.get(VA));
  if (h.mmio.dataValid) fault.outcome = MMIO;
  else {
    walkGuest(a, fault, levels);
    fault.outcome = fault.level > 0 ? EMULATE : NOT_EMULATED;
  }
  if (a.options.dumpAll) dump(a, fault);
  setFaultPostProcess(a, h, 'hvm_pf_xen_process', postProcessPfXen);
}

function dump(a: Analyser, fault: PageFaults): void {
  const { out } = a;
  const emulated = fault.outcome === EMULATE;
  a.startLine(IN_EXIT);
  out.text(emulated ? ' pf_xen:emulate' : ' pf_xen');
  out.printf(' va %llx ec %x', fault.get(VA), fault.low(ERROR_CODE));
  if (emulated) out.printf(' level %d corr %llx', fault.level, mappedVa(fault));
  out.text(` e->pt_index[${fault.indices.join(' ')}]\n`);
}

/** Whether an address of a guest lies where kernels do. */
function isKernel(levels: number, high: number, low: number): boolean {
  if (levels === 4) return (high & 0x8000) !== 0;
  return (levels === 2 || levels === 3) && (low & 0x80000000) !== 0;
}

function postProcessPfXen(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  if (!options.summaryInfo) return;
  const faults = pageFaultsOf(h);
  addOutcome(a, h);
  const levels = h.vcpu.guestPagingLevels;
  if (faults.outcome === EMULATE) countEmulatedEip(a, h);
  else if (faults.outcome === NOT_EMULATED) {
    const kernelEip = isKernel(levels, h.ripHigh, h.ripLow);
    const kernelVa = isKernel(levels, faults.high(VA), faults.low(VA));
    faults.notEmulated.add(kernelEip ? EIP_KERNEL : EIP_USER, h.arcCycles, options);
    faults.notEmulated.add(kernelVa ? VA_KERNEL : VA_USER, h.arcCycles, options);
  }
  setSummaryHandler(a, h, 'hvm_pf_xen_postprocess', printPageFaults);
}
