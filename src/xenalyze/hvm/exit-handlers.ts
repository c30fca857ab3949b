/**
 * Records of what Xen did about an exit, as far as xenalyze looks into them.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import { HYPERCALL_NAMES } from '../hypercall-names.ts';
import { ERROR_RECORD, ERROR_SANITY } from '../options.ts';
import type { Pcpu } from '../state.ts';
import { divide } from '../wasm/sample-rules.ts';
import { EVENT_64, EVENT_WRITE, HANDLER_HAS_LINE, HANDLER_MSR, POST_NONE } from '../wasm/walk-layout.ts';
import { flushCr3, switchCr3 } from './cr3-values.ts';
import { EipList } from './eip-list.ts';
import { INTR_NO_VECTOR, RDTSC_BACKWARDS, VECTOR_NAMES } from './hvm-lines.ts';
import { type HvmVcpu, type PostProcess, setPostProcess, setSummaryHandler } from './hvm-vcpu.ts';
import { noteHandler, setHandlerRule } from './post-process.ts';
import { SHORT_CR3, updateShortSummary } from './short-summary.ts';

const VECTORS = 256;
/** Control registers that are counted. */
const CRS = 9;
/** Control registers that there can be. */
const CR_SITES = Array.from({ length: 16 }, (_, cr) => `hvm_cr_write_postprocess ${cr}`);
/** As many resyncs and more are counted as one. */
const RESYNCS_MAX = 17;
const RIP_BITS_HIGH = 16;

/** Sets how the exit is accounted for; says so if another handler did so already. */
function claim({ warn }: Analyser, h: HvmVcpu, post: PostProcess, name: string): void {
  if (!setPostProcess(h, post)) warn.printf('%s: Strange, postprocess already set\n', name);
}

// ---- ports

const PORT_MASK = 0x7fffffff;
const PORT_WRITE = 0x80000000;

export function processPort(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const port = p.word(0);
  const isWrite = (p.event & EVENT_WRITE) !== 0;
  h.detail = (port & PORT_MASK) + (isWrite ? PORT_WRITE : 0);
  h.recorded[1] = p.word(1);
  claim(a, h, isWrite ? postProcessPortWrite : postProcessPortRead, 'hvm_io_assist_process');
  a.lines.dump(p);
}

function postProcessPortWrite({ options }: Analyser, h: HvmVcpu): void {
  if (options.withPioEnumeration) h.ports.add(h.detail & PORT_MASK, true, h.arcCycles, 0, options);
}

function postProcessPortRead(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  const port = h.detail & PORT_MASK;
  if (options.withPioEnumeration) h.ports.add(port, false, h.arcCycles, 0, options);
  if (options.scatterplotIo === port) a.scatterplot(h.exitTsc, a.run.lastTsc - h.exitTsc);
}

// ---- control registers

export function processCrWrite(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  h.detail = p.word(0);
  h.valueLow = p.word(1);
  h.valueHigh = p.event & EVENT_64 ? p.word(2) : 0;
  if (!setPostProcess(h, postProcessCrWrite))
    a.warn.text('hvm_cr_write_process: Strange, h->postprocess already set!\n');
  if (!a.options.dumpAll) return;
  const { header, out } = a;
  const value = recordedValue(h);
  if (h.detail === 3 && h.cr3 !== 0n) {
    const format = ']%s cr_write cr3 val %llx oval %llx %s\n';
    out.printf(format, header, value, h.cr3, h.cr3 === value ? 'flush' : 'switch');
  } else out.printf(' %s cr_write cr%d val %llx\n', header, h.detail | 0, value);
}

function recordedValue({ valueHigh, valueLow }: HvmVcpu): bigint {
  return (BigInt(valueHigh) << 32n) | BigInt(valueLow);
}

function postProcessCrWrite(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  const cr = h.detail;
  if (cr === 3) postProcessCr3Write(a, h);
  else if (options.summaryInfo && cr < CRS) h.crWrites.add(cr, h.arcCycles, options);
  if (h.reasons === undefined || h.exitReason >= h.reasons.max) return;
  if (cr < CR_SITES.length) setSummaryHandler(a, h, CR_SITES[cr], printCrWrites, cr);
  else {
    a.stderr.printf('Unexpected cr: %d\n', cr | 0);
    a.error(ERROR_SANITY);
  }
}

function postProcessCr3Write(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  const value = recordedValue(h);
  const isFlush = h.cr3 !== 0n && value === h.cr3;
  if (isFlush) flushCr3(h);
  if (options.summaryInfo) {
    h.cr3Writes.add(Math.min(h.resyncs, RESYNCS_MAX), h.arcCycles, options);
    h.crWrites.add(3, h.arcCycles, options);
    updateShortSummary(a, h, SHORT_CR3);
  }
  if (!isFlush) switchCr3(a, h.vcpu, value);
}

function printCrWrites(a: Analyser, h: HvmVcpu, cr: number): void {
  const name = `   cr${cr} `;
  if (cr < CRS) h.crWrites.print(a, cr, name);
  // Xenalyze 4.17 reads on behind the end of what it counts.
  else if (a.options.compat417) h.cr3Writes.print(a, cr - CRS, name);
  if (cr !== 3) return;
  for (let resyncs = 0; resyncs < RESYNCS_MAX; resyncs++)
    h.cr3Writes.print(a, resyncs, `     *[${`${resyncs}`.padStart(3)}] `);
  h.cr3Writes.print(a, RESYNCS_MAX, '     *[MAX] ');
}

// ---- model-specific registers

const MSR_WORDS = 3;
const MSR_READ = 0x00c;
const MSR_WRITE = 0x00d;

export function processMsrRead(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  processMsr(a, p, h, 'msr_read', postProcessMsrRead);
}

export function processMsrWrite(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  processMsr(a, p, h, 'msr_write', postProcessMsrWrite);
}

function processMsr(a: Analyser, p: Pcpu, h: HvmVcpu, name: string, post: PostProcess): void {
  if (!a.hasExtraWords(p, MSR_WORDS * 4, name)) return;
  h.detail = p.word(0);
  h.valueLow = p.word(1);
  h.valueHigh = p.word(2);
  a.lines.dump(p);
  claim(a, h, post, `hvm_${name}_process`);
}

function postProcessMsrRead(a: Analyser, h: HvmVcpu): void {
  countNothing(a, h, 'hvm_msr_read_postprocess', MSR_READ);
}

function postProcessMsrWrite(a: Analyser, h: HvmVcpu): void {
  countNothing(a, h, 'hvm_msr_write_postprocess', MSR_WRITE);
}

/** There is nothing to print, but xenalyze tells where it cannot do it. That is once: then the quick way can go on. */
function countNothing(a: Analyser, h: HvmVcpu, site: string, handler: number): void {
  setSummaryHandler(a, h, site, () => {});
  setHandlerRule(a, handler, MSR_WORDS, HANDLER_MSR | HANDLER_HAS_LINE);
}

// ---- hypercalls

export function processVmcall(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  a.lines.dump(p);
  h.detail = p.word(0);
  claim(a, h, postProcessVmcall, 'hvm_vmcall_process');
}

function postProcessVmcall(a: Analyser, h: HvmVcpu): void {
  const { options } = a;
  if (!options.summary) return;
  h.vmcalls.add(Math.min(h.detail, HYPERCALL_NAMES.length), h.arcCycles, options);
  setSummaryHandler(a, h, 'hvm_vmcall_postprocess', printVmcalls);
}

function printVmcalls(a: Analyser, h: HvmVcpu): void {
  for (const [number, name] of [...HYPERCALL_NAMES, 'max'].entries())
    h.vmcalls.print(a, number, `    [${name.padStart(10)}] `);
}

// ---- interrupts of the host

export function processIntr(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const { options } = a;
  // AMD processors do not tell the vector.
  const vector = a.hvm.svm ? 0 : p.word(0);
  const ripTop = h.ripHigh >>> RIP_BITS_HIGH;
  if (ripTop !== 0 && ripTop !== 0xffff) {
    const rip = (BigInt(h.ripHigh) << 32n) | BigInt(h.ripLow);
    a.stderr.printf('Unexpected rip %llx (shift %llx)\n', rip, ripTop);
    a.error(ERROR_RECORD);
  }
  h.detail = vector;
  a.lines.dump(p, a.hvm.svm ? INTR_NO_VECTOR : p.event);
  noteInterruptedEip(a, h, vector);
  h.post = POST_NONE;
  if (!options.summaryInfo) return;
  if (options.summary) setSummaryHandler(a, h, 'hvm_intr_process', printInterrupts);
  const place = Math.min(vector, VECTORS);
  h.interrupts.set(place, (h.interrupts.get(place) ?? 0) + 1);
}

/** Where the guest was when the host was interrupted, for options that ask for it. */
function noteInterruptedEip(a: Analyser, h: HvmVcpu, vector: number): void {
  const { options, out } = a;
  const high = h.ripHigh & 0xffff;
  const rip = high * 2 ** 32 + h.ripLow;
  if (vector === options.scatterplotInterruptEip) {
    a.setTime(h.exitTsc);
    out.printf('%s %u.%09u %lld\n', h.vcpu.label, a.seconds, a.nanoseconds, rip);
  }
  const histogram = options.histogramInterruptEip;
  if (vector === histogram?.vector) {
    const step = divide(rip, Number(histogram.increment)) >>> 0;
    h.interruptHistogram.set(step, (h.interruptHistogram.get(step) ?? 0) + 1);
  }
  if (vector === options.withInterruptEipEnumeration) {
    const { domain } = h.vcpu;
    domain.interruptEips ??= new EipList();
    domain.interruptEips.add(high, h.ripLow, 0, options);
  }
}

function printInterrupts({ out }: Analyser, { interrupts }: HvmVcpu): void {
  for (let vector = 0; vector < VECTORS; vector++) {
    const count = interrupts.get(vector);
    if (count === undefined) continue;
    const name = VECTOR_NAMES[vector];
    if (name === undefined) out.printf('            [%3d]: %d\n', vector, count);
    else out.printf('  %10s(%3d): %d\n', name, vector, count);
  }
  const others = interrupts.get(VECTORS);
  if (others !== undefined) out.printf('  Other:         : %d\n', others);
}

// ---- others

export function processNpf(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  a.lines.dump(p);
  if (a.options.summaryInfo) noteHandler(a, p, h);
}

export function processRdtsc(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const { options, out } = a;
  const value = p.bigint(0);
  a.lines.dump(p, value < h.lastRdtsc ? RDTSC_BACKWARDS : p.event);
  if (options.scatterplotRdtsc) {
    const { domain, number } = h.vcpu;
    a.setTime(p.tsc);
    out.printf('%dv%d %u.%09u %llu\n', domain.id, number, a.seconds, a.nanoseconds, value);
  }
  h.lastRdtsc = value;
}
