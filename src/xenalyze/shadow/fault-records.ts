import type { Analyser } from '../analyser.ts';
import { type HvmVcpu, type PostProcess, setPostProcess } from '../hvm/hvm-vcpu.ts';
import { ERROR_RECORD } from '../options.ts';
import type { Pcpu } from '../state.ts';
import { sprintf } from '../text-output.ts';
import { IN_EXIT } from '../wasm/walk-layout.ts';
import {
  pageFaultsOf,
  postProcessEmulate,
  postProcessFixup,
  postProcessMmio,
  postProcessOther,
  postProcessPropagate,
} from './fault-accounting.ts';
import * as flag from './flags.ts';
import { mappedVa, walkGuest } from './guest-walk.ts';
import * as fault from './page-faults.ts';
import { FLAGS, GFN, GL1E, type PageFaults, VA, WRITTEN } from './page-faults.ts';

/** How one kind of record of a page fault is read and shown, and how the exit is accounted for that it belongs to. */
interface FaultRecord {
  /** xenalyze's function that reads it, and the one that has {@link postProcess} called. */
  readonly reader: string;
  readonly name: string;
  /** In the order of the record. */
  readonly fields: readonly number[];
  /** Whether records since Xen 4.19 have flags at the end, which xenalyze does not know of. */
  readonly laterFlags?: boolean;
  /** Whether the page tables are looked at that the address leads through. */
  readonly walks: boolean;
  /** What it is shown as. */
  readonly text: (faults: PageFaults) => string;
  readonly postProcess: PostProcess;
}

const MMIO_RECORD: FaultRecord = {
  reader: 'shadow_mmio_process',
  name: 'shadow_mmio_process',
  fields: [VA],
  walks: false,
  text: (faults) => `${faults.outcome === fault.FAST_MMIO ? 'fast mmio' : 'mmio'} va ${hex(faults, VA)}`,
  postProcess: postProcessMmio,
};

const UNSHADOW_RECORD: FaultRecord = {
  reader: 'shadow_parse_other',
  name: 'shadow_emulate_other_process',
  fields: [GFN, VA],
  laterFlags: true,
  walks: true,
  text: (faults) =>
    `shadow ${fault.FAULT_NAMES[faults.outcome]} gfn ${hex(faults, GFN)} va ${hex(faults, VA)}`,
  postProcess: postProcessOther,
};

/** By the low byte of an event. */
export const FAULT_RECORDS: readonly (FaultRecord | undefined)[] = Object.assign(
  new Array<FaultRecord | undefined>(fault.LAST_FAULT + 1),
  {
    [fault.NOT_SHADOW]: {
      reader: 'shadow_propagate_process',
      name: 'shadow_propagate_process',
      fields: [GL1E, VA, FLAGS],
      walks: false,
      text: (faults) => `propagate va ${hex(faults, VA)} gl1e ${hex(faults, GL1E)}${flagsOf(faults)}`,
      postProcess: postProcessPropagate,
    },
    [fault.FIXUP]: {
      reader: 'shadow_fixup_process',
      name: 'shadow_fixup_process',
      fields: [GL1E, VA, FLAGS],
      walks: true,
      text(faults) {
        const unsync = (faults.low(FLAGS) & flag.UNSYNC) !== 0;
        const corrected = unsync ? ` corr ${mappedVa(faults).toString(16)}` : '';
        const entry = `va ${hex(faults, VA)} gl1e ${hex(faults, GL1E)}`;
        return `fixup${unsync ? ':unsync' : ''} ${entry}${corrected}${flagsOf(faults)}`;
      },
      postProcess: postProcessFixup,
    },
    [fault.EMULATE]: {
      reader: 'shadow_emulate_process',
      name: 'shadow_emulate_process',
      fields: [GL1E, WRITTEN, VA, FLAGS],
      walks: true,
      text: (faults) =>
        sprintf(
          'emulate va %llx gl1e %8llx wval %8llx flags %s(%x) pt_level %d corr %8llx',
          faults.get(VA),
          faults.get(GL1E),
          faults.get(WRITTEN),
          flag.lettersOf(faults.low(FLAGS)),
          faults.low(FLAGS),
          faults.level,
          mappedVa(faults),
        ),
      postProcess: postProcessEmulate,
    },
    [fault.FAST_MMIO]: MMIO_RECORD,
    [fault.MMIO]: MMIO_RECORD,
    [fault.UNSHADOW_USER]: UNSHADOW_RECORD,
    [fault.UNSHADOW_EVENT_INJECTED]: UNSHADOW_RECORD,
    [fault.UNSHADOW_UNHANDLED]: UNSHADOW_RECORD,
  } satisfies Record<number, FaultRecord>,
);

function hex(faults: PageFaults, field: number): string {
  return faults.get(field).toString(16);
}

function flagsOf(faults: PageFaults): string {
  const flags = faults.low(FLAGS);
  return ` flags (${flags.toString(16)})${flag.lettersOf(flags)}`;
}

/** Levels of page tables of the guest, as a shadow record's event has them. */
export function levelsOf(p: Pcpu): number {
  return ((p.event >>> 8) & 15) + 2;
}

/** Processes a record of a page fault, in an exit. */
export function processFaultRecord(a: Analyser, p: Pcpu, h: HvmVcpu, record: FaultRecord): void {
  const faults = pageFaultsOf(h);
  const levels = levelsOf(p);
  const { vcpu } = h;
  if (levels !== vcpu.guestPagingLevels) {
    a.warn.printf(
      '%s: record paging levels %d, guest paging levels %d.  Switching.\n',
      record.reader,
      levels,
      vcpu.guestPagingLevels,
    );
    vcpu.guestPagingLevels = levels;
  }
  if (levels <= 4) {
    if (hasWords(a, p, record, levels)) readFields(p, faults, record.fields, levels);
    // 4.17 goes on with what happens to lie on its stack.
    else if (record === UNSHADOW_RECORD && a.options.compat417)
      for (const field of record.fields) faults.set(field, 0, 0);
    else return;
    if (record === MMIO_RECORD) {
      h.mmio.vaHigh = faults.high(VA);
      h.mmio.vaLow = faults.low(VA);
    }
  } else if (!a.options.compat417) {
    a.processGeneric(p);
    return;
  }
  if (record.walks) walkGuest(a, faults, levels);
  if (a.options.dumpAll) {
    a.startLine(IN_EXIT);
    a.out.text(` ${record.text(faults)}\n`);
  }
  setFaultPostProcess(a, h, record.name, record.postProcess);
}

/** Has the exit accounted for by `postProcess`, unless a record before it said how; `name` is xenalyze's function. */
export function setFaultPostProcess(a: Analyser, h: HvmVcpu, name: string, postProcess: PostProcess): void {
  if (!setPostProcess(h, postProcess)) a.warn.printf('%s: Strange, postprocess already set\n', name);
}

/** Words of a field in a record of a guest with 2, 3 or 4 levels of page tables. */
function wordsOf(field: number, levels: number): number {
  if (field === FLAGS) return 1;
  return levels > (field === VA ? 3 : 2) ? 2 : 1;
}

/**
 * Whether a record has the words of its fields; if not, says so. Where fields have 64 bits, xenalyze expects an even
 * number of words, which Xen does not write: with --compat it rejects what Xen writes.
 */
function hasWords(
  a: Analyser,
  p: Pcpu,
  { fields, laterFlags, reader }: FaultRecord,
  levels: number,
): boolean {
  let words = 0;
  let padded = false;
  for (const field of fields) {
    const fieldWords = wordsOf(field, levels);
    words += fieldWords;
    padded ||= fieldWords === 2;
  }
  const expected = padded ? words + (words & 1) : words;
  if (p.extraWords === expected) return true;
  if (!a.options.compat417) {
    if (p.extraWords === words || (laterFlags && p.extraWords === words + 1)) return true;
  }
  a.warn.printf(
    '%s: expected %zd bytes for %d-level guest, got %d!\n',
    reader,
    expected * 4,
    levels,
    p.extraWords * 4,
  );
  a.error(ERROR_RECORD, p);
  return false;
}

function readFields(p: Pcpu, faults: PageFaults, fields: readonly number[], levels: number): void {
  let at = 0;
  for (const field of fields) {
    const words = wordsOf(field, levels);
    faults.set(field, words === 2 ? p.word(at + 1) : 0, p.word(at));
    at += words;
  }
  // The upper bits of an emulation's flags count the instructions that were emulated on the way.
  if (fields.includes(WRITTEN)) faults.set(FLAGS, 0, faults.low(FLAGS) & 0x1fffffff);
}
