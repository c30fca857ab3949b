import {
  eventOf,
  extraWordsOf,
  headerWord,
  TRC_LOST_RECORDS,
  TRC_TRACE_WRAP_BUFFER,
} from '../format/index.ts';
import type { DiagnosticLog } from './diagnostic-log.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RecordStreams } from './record-streams.ts';

/** Kinds of unknown records that are counted one by one. */
const UNKNOWN_KINDS_MAX = 1000;
const OTHER_KINDS = 'other';

/** Counts what is remarkable about the records that a reader emits, and tells the diagnostics of it. */
export class RecordNotes {
  readonly #log: DiagnosticLog;
  /** Header word without the cycle flag -> records. */
  readonly #unknown = new Map<number, number>();
  #otherUnknown = 0;
  /** The sum of what lost-records records say. */
  lostRecords = 0;

  constructor(log: DiagnosticLog) {
    this.#log = log;
  }

  /** Notes a record that is unknown or tells of lost ones, see EmitState. */
  note(event: number, words: number, batch: RecordBatch, row: number, streams: RecordStreams): void {
    if (event === TRC_LOST_RECORDS && words === 4) this.#noteLost(batch, row, streams);
    if (batch.layout[row] !== 0 || event === TRC_TRACE_WRAP_BUFFER) return;
    const header = headerWord(event, words, false);
    const known = this.#unknown.get(header);
    if (known !== undefined || this.#unknown.size < UNKNOWN_KINDS_MAX)
      this.#unknown.set(header, (known ?? 0) + 1);
    else this.#otherUnknown++;
  }

  /** Unknown records by kind, see TraceCounts. */
  unknownByKind(): Map<string, number> {
    const kinds = new Map<string, number>();
    for (const [header, count] of this.#unknown) {
      kinds.set(`0x${eventOf(header).toString(16).padStart(8, '0')}/${extraWordsOf(header)}`, count);
    }
    if (this.#otherUnknown > 0) kinds.set(OTHER_KINDS, this.#otherUnknown);
    return kinds;
  }

  /** Tells the diagnostics what can only be told at the end; `live`: of a trace that was read while it was written. */
  reportSums(streams: RecordStreams, live = false): void {
    for (const [kind, count] of this.unknownByKind()) this.#reportUnknown(kind, count);
    const { totals, nsPerTick } = streams;
    for (const pcpu of totals.backwards.keys()) {
      const backwardsNs = Math.round(totals.backwardsTicks[pcpu] * nsPerTick);
      if (totals.backwards[pcpu] > 0 && live) this.#reportLate(pcpu, backwardsNs, streams);
      else if (totals.backwards[pcpu] > 0) this.#reportBackwards(pcpu, backwardsNs, streams);
      if (totals.jumps[pcpu] > 0) this.#reportJumps(pcpu, streams);
    }
  }

  #noteLost(batch: RecordBatch, row: number, streams: RecordStreams): void {
    const w = batch.wordsOffset[row];
    const [count, , firstLow, firstHigh] = batch.words.subarray(w, w + 4);
    const { baseLow, baseHigh, nsPerTick } = streams;
    const firstNs = Math.round(((firstHigh - baseHigh) * 2 ** 32 + (firstLow - baseLow)) * nsPerTick);
    const pcpu = batch.pcpu[row];
    this.lostRecords += count;
    this.#log.add({
      severity: 'data_loss',
      code: 'lost_records',
      pcpu,
      count,
      tNs: batch.tNs[row],
      message: `Xen lost ${count} records on pCPU ${pcpu} between ${firstNs} ns and ${batch.tNs[row]} ns.`,
      advice: 'Larger trace buffers (xentrace -S), a shorter poll (-s) or a smaller mask (-e) lose less.',
    });
  }

  #reportUnknown(kind: string, count: number): void {
    const [event, words] = kind.split('/');
    this.#log.add({
      severity: 'info',
      code: 'unknown_layout',
      count,
      message:
        kind === OTHER_KINDS
          ? `${count} records are of still other kinds that are not defined.`
          : `${count} records of event ${event} with ${words} extra words are not defined: they are shown raw.`,
      advice:
        'Define them in a file of your own (--formats FILE), if your Xen is patched or newer than this program.',
    });
  }

  #reportBackwards(pcpu: number, ns: number, { totals }: RecordStreams): void {
    this.#log.add({
      severity: 'error',
      code: 'tsc_backwards',
      pcpu,
      offset: totals.backwardsOffset[pcpu],
      count: totals.backwards[pcpu],
      message:
        `The TSC of pCPU ${pcpu} went back in ${totals.backwards[pcpu]} records, by up to ${ns} ns. ` +
        'They keep their place in the file and have the time of the record before them.',
      advice:
        'Damage, two traces in one file, or a host that slept; the times of these records are not known.',
    });
  }

  #reportLate(pcpu: number, ns: number, { totals }: RecordStreams): void {
    this.#log.add({
      severity: 'info',
      code: 'late_records',
      pcpu,
      offset: totals.backwardsOffset[pcpu],
      count: totals.backwards[pcpu],
      message:
        `${totals.backwards[pcpu]} records of pCPU ${pcpu} came after later ones had been given out, ` +
        `by up to ${ns} ns. They have the time of the record before them.`,
      advice: 'Read the trace once more when it is whole, if it was kept; a whole one is put in order.',
    });
  }

  #reportJumps(pcpu: number, { totals }: RecordStreams): void {
    this.#log.add({
      severity: 'error',
      code: 'tsc_jump',
      pcpu,
      offset: totals.jumpsOffset[pcpu],
      count: totals.jumps[pcpu],
      message:
        `The TSC of ${totals.jumps[pcpu]} records of pCPU ${pcpu} is far ahead of those that follow. ` +
        'They have the time of the record before them.',
      advice: 'The file was damaged after it was written; the times of these records are not known.',
    });
  }
}
