/**
 * Accesses of guests to memory of devices.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import type { Pcpu } from '../state.ts';
import { EVENT_64, EVENT_WRITE, IN_EXIT } from '../wasm/walk-layout.ts';
import { APIC_ACCESS, EPT_VIOLATION, NESTED_PAGE_FAULT } from './exit-reasons.ts';
import { type HvmVcpu, setPostProcess, setSummaryHandler } from './hvm-vcpu.ts';
import { accessVlapic } from './vlapic.ts';

const VGA_START = 0xa0000;
const VGA_END = 0xbffff;
const APIC_PAGE = 0xfee00;

/** Causes of accesses, apart from page faults that Xen deals with. */
const BY_APIC = 0;
const BY_NPF = 1;
const BY_UNKNOWN = 2;

const SITES = [BY_APIC, BY_NPF, BY_UNKNOWN].map((cause) => `hvm_mmio_assist_postprocess ${cause}`);

const CAUSE_OF_EXIT = new Map([
  [NESTED_PAGE_FAULT, BY_NPF],
  [EPT_VIOLATION, BY_NPF],
  [APIC_ACCESS, BY_APIC],
]);

export function processMmio(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const { mmio } = h;
  const { event, extraWords } = p;
  h.leavesMore = true;
  const addressWords = event & EVENT_64 ? 2 : 1;
  mmio.gpaLow = p.word(0);
  mmio.gpaHigh = addressWords === 2 ? p.word(1) : 0;
  mmio.data = p.word(addressWords);
  // With a long address, Xen has had two words of data since 4.12. Xenalyze does not know one word.
  const oneWord = addressWords === 1 || !a.options.compat417;
  if (extraWords === addressWords * 2 || (oneWord && extraWords === addressWords + 1)) mmio.dataValid = true;
  mmio.isWrite = (event & EVENT_WRITE) !== 0;
  if (a.options.dumpAll) dumpMmio(a, h);
  if (mmio.gpaLow >>> 12 === APIC_PAGE) accessVlapic(a, h);
  // Where another way is set, it is probably that of the shadow code.
  setPostProcess(h, postProcessMmio);
}

function dumpMmio(a: Analyser, { mmio }: HvmVcpu): void {
  const { out } = a;
  a.startLine(IN_EXIT);
  const data = mmio.dataValid ? `data ${mmio.data.toString(16)}` : '(no data)';
  const gpa = (BigInt(mmio.gpaHigh) << 32n) | BigInt(mmio.gpaLow);
  out.printf(' mmio_assist %c gpa %llx %s\n', mmio.isWrite ? 'w' : 'r', gpa, data);
}

function postProcessMmio(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  const cause = CAUSE_OF_EXIT.get(h.exitReason) ?? BY_UNKNOWN;
  if (cause === BY_UNKNOWN && !a.hvm.summarySites.has(SITES[cause])) {
    const format = 'hvm_mmio_assist_postprocess: Strange, MMIO with unexpected exit reason %d\n';
    a.warn.printf(format, h.exitReason | 0);
  }
  setSummaryHandler(a, h, SITES[cause], printMmio, cause);
  if (options.summaryInfo) h.mmios.add(cause, h.arcCycles, options);
  if (options.withMmioEnumeration) enumerateMmio(a, h);
}

function printMmio(a: Analyser, h: HvmVcpu, cause: number): void {
  h.mmios.print(a, cause, '   mmio ');
}

/** Counts the access by its address. Also for those that the shadow code finds. */
export function enumerateMmio(a: Analyser, { arcCycles, mmio, mmioAddresses }: HvmVcpu): void {
  const { options } = a;
  const { gpaHigh, gpaLow, vaLow } = mmio;
  if (options.mmioEnumerationSkipVga && gpaHigh === 0 && gpaLow >= VGA_START && gpaLow < VGA_END) {
    const text =
      'WARNING: Not enumerationg MMIO in VGA range.  Use --mmio-enumeration-skip-vga=0 to override.\n';
    a.hvm.warnOnce(a.warn, text);
    return;
  }
  if (mmio.dataValid) mmioAddresses.add(gpaLow, mmio.isWrite, arcCycles, vaLow, options);
}
