/**
 * What records of exits of HVM guests, and of Xen's handlers, are shown as.
 * @module
 */
import type { Analyser } from '../analyser.ts';
import { hypercallTemplate } from '../hypercall-names.ts';
import { ifSet, type LineTemplate, wordsInHex } from '../record-lines.ts';
import type { Pcpu } from '../state.ts';
import {
  AS_NUMBERS,
  ENTRY,
  ENTRY_AFTER,
  ENTRY_AFTER_LONG,
  EVENT_64,
  HANDLER_BASE,
  WORD_COUNTS,
} from '../wasm/walk-layout.ts';
import { type ExitReasons, SVM_REASONS, VMX_REASONS } from './exit-reasons.ts';
import { HANDLER_NAMES } from './post-process.ts';

/** Bits 12 to 15 of the event of a handler's record that is shown as numbers. */
const NUMBERS = 3;
export const VMEXIT = 0x81002;
/** On AMD processors, since Xen 4.19; stands for all exits with their numbers here. */
export const SVM_EXIT = 0x81003;
/** Another that is none, like {@link ENTRY}: a guest reads a TSC that is smaller than the one before. */
export const RDTSC_BACKWARDS = ENTRY + 3;
/** Likewise: an interrupt on an AMD processor, which does not tell the vector. */
export const INTR_NO_VECTOR = ENTRY + 4;
/** By number of extra words. */
const BRACKETED = Array.from({ length: WORD_COUNTS }, (_, words) => `[ ${wordsInHex(words)}]`);
const INTERRUPT_SOURCE_NAMES = ['none', 'pic', 'lapic', 'nmi', 'mce', 'vector'];

/** Of interrupts of the host, by their vectors. */
export const VECTOR_NAMES: Readonly<Record<number, string>> = {
  255: 'SPURIOS_APIC',
  254: 'ERROR_APIC',
  253: 'INVALIDATE_TLB',
  252: 'EVENT_CHECK',
  251: 'CALL_FUNCTION',
  250: 'THERMAL_APIC',
  249: 'LOCAL_TIMER',
};
const SHOWN_VECTORS = Array.from({ length: 256 }, (_, vector) => {
  const name = VECTOR_NAMES[vector];
  return name === undefined ? undefined : `${name}(${vector.toString(16)})`;
});

/** The event by which the line of an exit is found. */
export function exitEvent(reasons: ExitReasons | undefined, is64: boolean): number {
  return (reasons === VMX_REASONS ? VMEXIT : SVM_EXIT) + (is64 ? EVENT_64 : 0);
}

function entryLine(mark: string): (a: Analyser) => LineTemplate {
  return (a) => ['vmentry cycles ', { cyclesOr: (p) => exitCycles(a, p) }, mark];
}

/** How long an exit was that is no exact number. */
function exitCycles(a: Analyser, p: Pcpu): string {
  const { exactExitTsc, exitTsc } = p.current!.hvm!;
  if (exitTsc === a.never) return `${a.absolute(p.tsc)}`;
  return `${BigInt.asIntN(64, a.exact(p) - (exactExitTsc ?? BigInt(a.absolute(exitTsc))))}`;
}

function exitLine({ names }: ExitReasons, is64: boolean): (a: Analyser) => LineTemplate {
  return ({ options, symbols }) => [
    'vmexit exit_reason ',
    { bits: [0, 0, 32], names, otherwise: '{0x}' },
    is64 ? ' eip {1qx}' : ' eip {1x}',
    ...(options.symbolFile === undefined ? [] : [(p: Pcpu) => symbols.find(is64 ? p.word(2) : 0, p.word(1))]),
  ];
}

function portLine(access: string): LineTemplate {
  // An access that moves many items has no data in its record: as xenalyze, this shows what follows in the file.
  return `io ${access} port {0x} val {1x}`;
}

/** By event. How many words they may have, the tables of what reads them tell. */
const LINES = new Map<number, LineTemplate | ((a: Analyser) => LineTemplate)>([
  [VMEXIT, exitLine(VMX_REASONS, false)],
  [VMEXIT + EVENT_64, exitLine(VMX_REASONS, true)],
  [SVM_EXIT, exitLine(SVM_REASONS, false)],
  [SVM_EXIT + EVENT_64, exitLine(SVM_REASONS, true)],
  [ENTRY, 'vmentry'],
  [ENTRY_AFTER, entryLine(' ')],
  [ENTRY_AFTER_LONG, entryLine(' !')],
  [HANDLER_BASE + 0x004, ['inj_virq vec {0} ', ifSet([1, 0, 32], ' fake', ' real')]],
  [HANDLER_BASE + 0x00c, 'msr_read addr {0x} val {1qx}'],
  [HANDLER_BASE + 0x00d, 'msr_write addr {0x} val {1qx}'],
  [HANDLER_BASE + 0x00f, ['intr vec ', { bits: [0, 0, 32], names: SHOWN_VECTORS, otherwise: '{0x}' }]],
  [INTR_NO_VECTOR, 'intr vec 0'],
  [HANDLER_BASE + 0x012, ['vmcall ', ...hypercallTemplate([0, 0, 32])]],
  [HANDLER_BASE + 0x016, portLine('read')],
  [HANDLER_BASE + 0x216, portLine('write')],
  [HANDLER_BASE + 0x01a, 'rdtsc {0qx} {0qd} '],
  [RDTSC_BACKWARDS, 'rdtsc {0qx} {0qd} BACKWARDS'],
  [
    HANDLER_BASE + 0x020,
    [
      'intr_window vec {0} src {1}(',
      { bits: [1, 0, 32], names: INTERRUPT_SOURCE_NAMES, otherwise: '?' },
      ') intr ',
      ifSet([2, 31, 1], '#', [ifSet([2, 0, 32], '{2x}', '#')]),
    ],
  ],
  [HANDLER_BASE + 0x021, 'npf gpa {0qx} q {4x} mfn {2qx} t {5d}'],
]);

/** The line of an event, whatever the number of words; with {@link AS_NUMBERS}, of any handler. */
export function hvmLine(a: Analyser, event: number, extraWords: number): LineTemplate | undefined {
  if (((event >>> 12) & 15) === NUMBERS) return numbersLine(event - AS_NUMBERS, extraWords);
  const line = LINES.get(event);
  return typeof line === 'function' ? line(a) : line;
}

/** A handler and the words of its record. */
function numbersLine(event: number, extraWords: number): LineTemplate {
  const isKnown = numberOf(event) < HANDLER_NAMES.length;
  return isKnown ? `${nameOf(event)} ${BRACKETED[extraWords]}` : OF_UNKNOWN_HANDLERS[extraWords];
}

/** A damaged trace may have any number: they have lines in common, as there is no room for one of each. */
const OF_UNKNOWN_HANDLERS: readonly LineTemplate[] = BRACKETED.map((words) => [
  (p) => nameOf(p.event),
  ` ${words}`,
]);

function nameOf(event: number): string {
  const number = numberOf(event);
  return `${HANDLER_NAMES[number] ?? `hvm_handler ${number}`}${event & EVENT_64 ? '64' : ''}`;
}

function numberOf(event: number): number {
  return (event - HANDLER_BASE) & ~EVENT_64;
}
