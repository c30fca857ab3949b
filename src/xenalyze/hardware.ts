/**
 * Records of the hardware: power management and interrupts.
 * @module
 */
import type { Analyser } from './analyser.ts';
import type { LineTemplate, RecordLine } from './record-lines.ts';
import { CSTATE_MAX, CSTATE_UNKNOWN, type Pcpu } from './state.ts';

const POWER = 1;
const INTERRUPTS = 2;

const IDLE_ENTRY = 0x00801002;
const IDLE_EXIT = 0x00801003;
const CLEANUP_DELAY = 0x00802001;
const CLEANUP = 0x00802002;
const HANDLED = 0x00802008;

const IDLE_START = 'pm_idle_start c{0d}';
const IDLE_END = 'pm_idle_end c{0d}';

function moveLine(event: number, name: string, idle: Readonly<Record<number, LineTemplate>>): RecordLine {
  const line = `${name} irq {0x} vec {1x} cpu {2d}`;
  return { event, byWords: { 3: line, ...idle }, in417: line };
}

/** Xen 4.2 put interrupt and vector into one word; xenalyze does not know that. */
function vectorLine(event: number, name: string): RecordLine {
  const line = [`${name} irq {0x} vec {1x} mask `, (p: Pcpu) => masks(p, 2)];
  return { event, byWords: { 6: line, 7: line } };
}

/** Four words from `at` on, the last one first. */
function masks(p: Pcpu, at: number): string {
  return [3, 2, 1, 0]
    .map((i) =>
      p
        .word(at + i)
        .toString(16)
        .padStart(4, '0'),
    )
    .join(' ');
}

export const HARDWARE_LINES: readonly RecordLine[] = [
  { event: 0x00801001, byWords: { 2: 'pm_freq_change o{0d} n{1d}' } },
  { event: IDLE_ENTRY, byWords: { 4: IDLE_START } },
  { event: IDLE_EXIT, byWords: { 6: IDLE_END } },
  // Until 4.1, idle states had the events that interrupts have.
  moveLine(CLEANUP_DELAY, 'irq_move_cleanup_delay', { 2: IDLE_START, 4: IDLE_START }),
  moveLine(CLEANUP, 'irq_move_cleanup', { 2: IDLE_END, 6: IDLE_END }),
  vectorLine(0x00802003, 'irq_bind_vector'),
  vectorLine(0x00802006, 'irq_assign_vector'),
  { event: 0x00802007, byWords: { 1: 'irq_unmapped_vector vec {0x}' } },
  {
    event: HANDLED,
    byWords: { 3: ['irq_handled irq {0x} ', (p) => `${(p.word(2) - p.word(1)) | 0}`, ' ({1d},{2d})'] },
  },
];

/** Processes a record of the hardware. */
export function processHardware(a: Analyser, p: Pcpu): void {
  const { compat417, dumpAll, scatterplotIrq } = a.options;
  const { lines } = a;
  const kind = (p.event >>> 12) & 15;
  if (kind !== POWER && kind !== INTERRUPTS) return;
  if (dumpAll && !lines.write(p)) a.dumpGeneric(a.out, p);
  if (!lines.knows(p)) return;
  const event = compat417 ? p.event : sinceXen42(p);
  if (event === IDLE_ENTRY) startIdling(a, p);
  else if (event === IDLE_EXIT) stopIdling(a, p);
  else if (event === HANDLED && scatterplotIrq) plotInterrupt(a, p);
}

/** The event of a record as it has been since Xen 4.2. */
function sinceXen42({ event, extraWords }: Pcpu): number {
  if (event === CLEANUP_DELAY && extraWords !== 3) return IDLE_ENTRY;
  return event === CLEANUP && extraWords !== 3 ? IDLE_EXIT : event;
}

function startIdling(a: Analyser, p: Pcpu): void {
  if (p.word(0) > CSTATE_MAX) return;
  p.powerState = p.word(0);
  a.draw(p);
}

function stopIdling(a: Analyser, p: Pcpu): void {
  const { powerState } = p;
  if (powerState !== p.word(0) && powerState !== CSTATE_UNKNOWN)
    a.out.printf('Strange, pm_idle_end %d, power_state %d!\n', p.signed(0), powerState);
  p.powerState = 0;
  a.draw(p);
}

function plotInterrupt(a: Analyser, p: Pcpu): void {
  a.out.printf('i%x ', p.word(0));
  a.writeTime(p.tsc);
  a.out.printf(' %d\n', p.number);
}
