import { EVENT_MASK, type EventCatalog, TRC_LOST_RECORDS, TRC_TRACE_WRAP_BUFFER } from '../format/index.ts';
import type { Slice } from './merge.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RecordStreams } from './record-streams.ts';

/** What emitting keeps from batch to batch. */
export interface EmitState {
  readonly catalog: EventCatalog;
  /**
   * TSC ticks per second, a whole number; 1e9 where it is not known, so that a tick shows as a nanosecond.
   */
  readonly ticksPerSecond: number;
  /** Key and time of the start of the second that the last record was in. */
  secondKey: number;
  secondNs: number;
  spanNs: number;
  readonly byLayout: Float64Array;
  readonly onSpecial: (event: number, words: number, batch: RecordBatch, row: number) => void;
}

/** Copies rows of the slice into `batch` until one of them is used up. Returns how many. */
export function emitRecords(
  streams: RecordStreams,
  slice: Slice,
  batch: RecordBatch,
  state: EmitState,
): number {
  const { data, positions, pcpus } = streams;
  const { order } = slice;
  const { catalog, byLayout } = state;
  const { event, layout, pcpu, hasTsc, tscLow, tscHigh, wordsOffset, words } = batch;
  let row = batch.count;
  const from = slice.next;
  const to = Math.min(slice.end, from + event.length - row);
  setTimes(streams.keys, order, from, to, batch.tNs, row, state);
  let w = wordsOffset[row];
  for (let i = from; i < to; i++) {
    const r = order[i];
    let at = positions[r];
    const header = data[at] | 0;
    const id = header & EVENT_MASK;
    const extra = (header >>> 28) & 7;
    const layoutIndex = catalog.layoutIndexOfHeader(header);
    at++;
    event[row] = id;
    layout[row] = layoutIndex;
    pcpu[row] = pcpus[r];
    if (header < 0) {
      const timed = id === TRC_TRACE_WRAP_BUFFER ? 0 : 1;
      hasTsc[row] = timed;
      tscLow[row] = timed ? data[at] : 0;
      tscHigh[row] = timed ? data[at + 1] : 0;
      at += 2;
    } else {
      hasTsc[row] = 0;
      tscLow[row] = 0;
      tscHigh[row] = 0;
    }
    for (let k = 0; k < extra; k++) words[w + k] = data[at + k];
    w += extra;
    row++;
    wordsOffset[row] = w;
    byLayout[layoutIndex]++;
    if (layoutIndex === 0 || id === TRC_LOST_RECORDS) state.onSpecial(id, extra, batch, row - 1);
  }
  batch.count = row;
  slice.next = to;
  return to - from;
}

/**
 * Turns keys into nanoseconds, to the nearest whole one: exact for any frequency and however long the trace, because
 * whole seconds are split off first.
 */
function setTimes(
  keys: Float64Array,
  order: Uint32Array,
  from: number,
  to: number,
  tNs: Float64Array,
  firstRow: number,
  state: EmitState,
): void {
  const { ticksPerSecond } = state;
  const nsPerTick = 1e9 / ticksPerSecond;
  let { secondKey, secondNs, spanNs } = state;
  let row = firstRow;
  for (let i = from; i < to; i++) {
    const key = keys[order[i]];
    let ticks = key - secondKey;
    if (ticks < 0 || ticks >= ticksPerSecond) {
      const second = Math.floor(key / ticksPerSecond);
      secondKey = second * ticksPerSecond;
      secondNs = second * 1e9;
      ticks = key - secondKey;
    }
    const ns = secondNs + Math.floor(ticks * nsPerTick + 0.5);
    tNs[row++] = ns;
    if (ns > spanNs) spanNs = ns;
  }
  state.secondKey = secondKey;
  state.secondNs = secondNs;
  state.spanNs = spanNs;
}
