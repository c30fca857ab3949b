import type { RecordBatch } from '../decoder/index.ts';
import type { EventCatalog } from '../format/index.ts';
import { clearBit, setRange } from './column-buffer.ts';
import type { TableWriter } from './table-writer.ts';
import { DOM_KNOWN, VCPU_KNOWN, type VcpuAttribution } from './vcpu-attribution.ts';

/**
 * Fills and writes the table `records`, one Arrow batch for each batch of the decoder. What the decoder
 * already has as columns (pCPU, event id, words) goes to the file as it is; only times and names are made
 * here.
 */
export class RecordsTable {
  readonly #writer: TableWriter;
  readonly #catalog: EventCatalog;
  /**
   * Layout -> entry of the `event` dictionary; [0] stands for unknown layouts, whose event may still be
   * known.
   */
  readonly #entryOfLayout: Int16Array;

  constructor(writer: TableWriter, catalog: EventCatalog) {
    this.#writer = writer;
    this.#catalog = catalog;
    this.#entryOfLayout = Int16Array.from(catalog.layouts, (layout) => (layout ? layout.event.index + 1 : 0));
  }

  /** Writes all records of the batch: when this returns, the batch may be reused. */
  push(batch: RecordBatch, attribution: VcpuAttribution): void {
    if (batch.count === 0) return;
    const writer = this.#writer;
    const time = writer.column('t_ns');
    const tsc = writer.column('tsc');
    writer.rows = batch.count;
    fillTimes(batch, time.values as Uint32Array, tsc.values as Uint32Array, time.validity);
    tsc.validity.set(time.validity);
    this.#fillEvents(batch);
    writer.column('pcpu').lent = batch.pcpu;
    writer.column('event_id').lent = batch.event;
    const dom = writer.column('dom');
    const vcpu = writer.column('vcpu');
    dom.lent = attribution.dom;
    vcpu.lent = attribution.vcpu;
    setRange(dom.validity, 0, batch.count);
    setRange(vcpu.validity, 0, batch.count);
    if (!attribution.complete) {
      clearMissing(attribution.known, batch.count, DOM_KNOWN, dom.validity);
      clearMissing(attribution.known, batch.count, VCPU_KNOWN, vcpu.validity);
    }
    writer.column('words').list = { offsets: batch.wordsOffset, words: batch.words };
    writer.flush();
  }

  #fillEvents({ count, event, layout }: RecordBatch): void {
    const entries = this.#writer.column('event').values as Int16Array;
    const entryOfLayout = this.#entryOfLayout;
    for (let row = 0; row < count; row++) {
      const index = layout[row];
      entries[row] = index !== 0 ? entryOfLayout[index] : this.#entryOfId(event[row]);
    }
  }

  #entryOfId(id: number): number {
    const event = this.#catalog.eventById(id);
    return event ? event.index + 1 : 0;
  }
}

/** Nanoseconds and TSC as 64-bit pairs, and the bitmap of the records that have them (zero under nulls). */
function fillTimes(batch: RecordBatch, time: Uint32Array, tsc: Uint32Array, validity: Uint8Array): void {
  const { count, hasTsc, tNs, tscLow, tscHigh } = batch;
  setRange(validity, 0, count);
  for (let row = 0; row < count; row++) {
    if (hasTsc[row] === 0) {
      clearBit(validity, row); // The buffers were cleared: zero, and null.
      continue;
    }
    const pair = row << 1;
    const at = tNs[row];
    time[pair] = at;
    time[pair + 1] = Math.floor(at * 2 ** -32);
    tsc[pair] = tscLow[row];
    tsc[pair + 1] = tscHigh[row];
  }
}

/** Clears the bit of every row whose flags lack `flag`. */
function clearMissing(flags: Uint8Array, rows: number, flag: number, bitmap: Uint8Array): void {
  for (let row = 0; row < rows; row++) if ((flags[row] & flag) === 0) clearBit(bitmap, row);
}
