/**
 * What closing an exit counts, where no handler has its own way: by handler.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import { NO_NAME } from '../hypercall-names.ts';
import { ERROR_RECORD } from '../options.ts';
import type { Pcpu } from '../state.ts';
import {
  ARC_COUNTED,
  ARC_QUIET,
  ARC_REASONS,
  ARC_RULES,
  EVENT_64,
  EVENT_WRITE,
  EXIT_HANDLERS,
  HANDLER_BASE,
  HANDLER_RULES,
  POST_BY_HANDLER,
  WORD_COUNTS,
} from '../wasm/walk-layout.ts';
import { printExits } from './hvm-summary.ts';
import { addSummaryHandler, type HvmVcpu } from './hvm-vcpu.ts';

/** By number, up to the last one that xenalyze knows. */
export const HANDLER_NAMES: readonly string[] = [
  '(no handler)',
  'pf_xen',
  'pf_inject',
  'inj_exc',
  'inj_virq',
  'reinj_virq',
  'io_read',
  'io_write',
  'cr_read',
  'cr_write',
  'dr_read',
  'dr_write',
  'msr_read',
  'msr_write',
  'cpuid',
  'intr',
  'nmi',
  'smi',
  'vmcall',
  'hlt',
  'invlpg',
  'mce',
  'io_assist',
  'mmio_assist',
  'clts',
  'lmsw',
  'rdtsc',
  ...Array<string>(5).fill(NO_NAME),
  'intr_window',
  'npf',
  'realmode_emulate',
  'trap',
  'trap_debug',
  'vlapic',
];

/** Has the exit accounted for as the handler's of the current record. */
export function noteHandler({ warn }: Analyser, p: Pcpu, h: HvmVcpu): void {
  if (h.post !== POST_BY_HANDLER) warn.text('hvm_generic_postprocess_init: Strange, h->postprocess set!\n');
  h.keepWords(p);
}

/** Counts an exit for the handler that recorded something, or for none. */
export function postProcessByHandler(a: Analyser, h: HvmVcpu): void {
  let handler = 0;
  if (h.detail !== 0) handler = ((h.detail - HANDLER_BASE) & ~(EVENT_64 | EVENT_WRITE)) >>> 0;
  else {
    if (h.reasons?.quiet.has(h.exitReason)) {
      setArcRule(a, 0, h.exitReason, ARC_QUIET);
      return;
    }
    warnOfMissingHandler(a, h);
  }
  if (handler >= HANDLER_NAMES.length) {
    a.warn.printf('hvm_generic_postprocess: invalid hvm event %lx(%x)\n', handler, h.detail);
    a.error(ERROR_RECORD);
    return;
  }
  if (!a.options.summaryInfo) {
    setArcRule(a, handler, h.exitReason, ARC_QUIET);
    return;
  }
  a.runstateLog.countExit(h.vcpu.index, EXIT_HANDLERS + handler, h.arcCycles);
  const { reasonOfHandler, sharedHandlers } = a.hvm;
  const reason = reasonOfHandler.get(handler);
  if (reason === undefined) {
    addSummaryHandler(a, h, 'hvm_generic_postprocess', printGeneric, handler);
    reasonOfHandler.set(handler, h.exitReason);
  } else if (reason !== h.exitReason && !sharedHandlers.has(h.exitReason)) {
    const format = 'hvm_generic_postprocess: HVM evt %lx in %x and %x!\n';
    a.warn.printf(format, handler, reason, h.exitReason);
    sharedHandlers.add(h.exitReason);
  }
  setArcRule(a, handler, h.exitReason, ARC_COUNTED);
}

/** Tells wasm/guest-records.ts what a handler's records with so many extra words mean for a summary. */
export function setHandlerRule(
  { memory: { bytes } }: Analyser,
  handler: number,
  words: number,
  rule: number,
): void {
  bytes[HANDLER_RULES + handler * WORD_COUNTS + words] = rule;
}

/** Tells wasm/guest-records.ts that there is nothing more to say of exits that are counted for a handler. */
function setArcRule(
  { memory: { bytes } }: Analyser,
  handler: number,
  exitReason: number,
  rule: number,
): void {
  if (exitReason < ARC_REASONS) bytes[ARC_RULES + handler * ARC_REASONS + exitReason] = rule;
}

function warnOfMissingHandler({ hvm, warn }: Analyser, { exitReason, reasons }: HvmVcpu): void {
  if (reasons === undefined || hvm.missingHandlers.has(exitReason)) return;
  const name = exitReason > reasons.max ? '[clipped]' : (reasons.names[exitReason] ?? NO_NAME);
  const format = 'hvm_generic_postprocess: Strange, exit %x(%s) missing a handler\n';
  warn.printf(format, exitReason, name);
  hvm.missingHandlers.add(exitReason);
}

function printGeneric(a: Analyser, h: HvmVcpu, handler: number): void {
  printExits(a, h, EXIT_HANDLERS + handler, `   ${HANDLER_NAMES[handler]} `);
}
