/**
 * Records of what guests are given: interrupts, exceptions. They need no exit to go with.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import type { Pcpu } from '../state.ts';
import { EVENT_64 } from '../wasm/walk-layout.ts';
import { destroyCr3 } from './cr3-values.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';
import { injectVector } from './vlapic.ts';
import { noteInterrupt } from './wake-to-halt.ts';

const TRAP_NAMES = [
  'Divide',
  'RESERVED',
  'NMI',
  'Breakpoint',
  'Overflow',
  'BOUND',
  'Invalid Op',
  'Coprocessor not present',
  'Double Fault',
  'Coprocessor segment overrun',
  'TSS',
  'Segment not present',
  'Stack-segment fault',
  'GP',
  'Page fault',
  'RESERVED',
  'FPU',
  'Alignment check',
  'Machine check',
  'SIMD',
];

/** Writes time and picture, without the vCPU: an older form of the text in front of a line. */
function writeOldHeader(a: Analyser, p: Pcpu): void {
  a.setTime(p.tsc);
  a.out.printf(' %3u.%09u %s', a.seconds, a.nanoseconds, a.picture(p));
}

export function processPfInject(a: Analyser, p: Pcpu): void {
  if (!a.options.dumpAll) return;
  const is64 = (p.event & EVENT_64) !== 0;
  writeOldHeader(a, p);
  const format = ' pf_inject%s guest_cr2 %llx  guest_ec %x\n';
  a.out.printf(format, is64 ? '64' : '', is64 ? p.bigint(1) : p.word(1), p.word(0));
}

export function processInjExc(a: Analyser, p: Pcpu): void {
  if (!a.options.dumpAll) return;
  writeOldHeader(a, p);
  const trap = p.word(0);
  a.out.printf(' inj_exc trap %s ec %x\n', TRAP_NAMES[trap] ?? `${trap}`, p.word(1));
}

export function processReinjVirq(a: Analyser, p: Pcpu): void {
  if (!a.options.dumpAll) return;
  writeOldHeader(a, p);
  a.out.printf(' inj_virq vec %u\n', p.word(0));
}

export function processInjVirq(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const vector = p.signed(0);
  const fake = p.word(1) !== 0;
  a.lines.dump(p);
  h.awaitsEntry = true;
  noteInterrupt(a, h, vector, fake);
  injectVector(a, h.vcpu, vector);
}

export function processDestroy(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  destroyCr3(a, h);
  if (!a.options.dumpAll) return;
  writeOldHeader(a, p);
  a.out.printf(' destroy_proc cur_cr3 %llx\n', h.cr3);
}
