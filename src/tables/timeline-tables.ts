import {
  JOB_MISSED,
  JOB_UNJUDGED,
  type JobBatch,
  type RunstateBatch,
  type WaitBatch,
} from '../timeline/index.ts';
import { vcpuLabel } from '../timeline/vcpu-label.ts';
import { type ColumnBuffer, putInt64, putText, setBit, setValid } from './column-buffer.ts';
import type { TableWriter } from './table-writer.ts';

/**
 * Fills the tables `runstates`, `waits` and `jobs` from what the timeline tells its listeners. Only those
 * whose writer is given are listened to.
 */
export class TimelineTables {
  readonly #labels = new Map<number, Uint8Array>();
  readonly onRunstates?: (batch: RunstateBatch) => void;
  readonly onWaits?: (batch: WaitBatch) => void;
  readonly onJobs?: (batch: JobBatch) => void;

  constructor(writers: { runstates?: TableWriter; waits?: TableWriter; jobs?: TableWriter }) {
    const { runstates, waits, jobs } = writers;
    if (runstates) this.onRunstates = (batch) => this.#append(runstates, batch, fillRunstates);
    if (waits) this.onWaits = (batch) => this.#append(waits, batch, fillWaits);
    if (jobs) this.onJobs = (batch) => this.#append(jobs, batch, fillJobs);
  }

  /** Copies the rows of a batch, however many, in pieces that fit. */
  #append<B extends VcpuRows>(
    writer: TableWriter,
    batch: B,
    fill: (writer: TableWriter, piece: Piece<B>) => void,
  ): void {
    let first = 0;
    while (first < batch.count) {
      if (writer.rows === writer.rowsMax) writer.flush();
      const count = Math.min(batch.count - first, writer.rowsMax - writer.rows);
      const piece = { batch, first, count, at: writer.rows };
      this.#fillVcpus(writer, piece);
      fill(writer, piece);
      writer.rows += count;
      first += count;
    }
  }

  #fillVcpus(writer: TableWriter, { batch, first, count, at }: Piece<VcpuRows>): void {
    const dom = writer.column('dom').values;
    const vcpu = writer.column('vcpu').values;
    const label = writer.column('label');
    for (let row = 0; row < count; row++) {
      const d = batch.dom[first + row];
      const v = batch.vcpu[first + row];
      dom[at + row] = d;
      vcpu[at + row] = v;
      putText(label, at + row, this.#labelOf(d, v));
    }
  }

  #labelOf(dom: number, vcpu: number): Uint8Array {
    const key = dom * 0x10000 + vcpu;
    let label = this.#labels.get(key);
    if (!label) {
      label = new TextEncoder().encode(vcpuLabel(dom, vcpu));
      this.#labels.set(key, label);
    }
    return label;
  }
}

interface VcpuRows {
  readonly count: number;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
}

/** Rows `first` up to `first + count` of a batch go to row `at` and the following of the table. */
interface Piece<B> {
  readonly batch: B;
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

function fillRunstates(writer: TableWriter, { batch, first, count, at }: Piece<RunstateBatch>): void {
  const state = writer.column('state').values;
  const xenState = writer.column('xen_state').values;
  const previous = writer.column('previous').values;
  const startSeen = writer.column('start_seen').values as Uint8Array;
  const endSeen = writer.column('end_seen').values as Uint8Array;
  for (let row = 0; row < count; row++) {
    state[at + row] = batch.state[first + row];
    xenState[at + row] = batch.xenState[first + row];
    previous[at + row] = batch.previous[first + row];
    const complete = batch.complete[first + row];
    if (complete & 1) setBit(startSeen, at + row);
    if (complete & 2) setBit(endSeen, at + row);
  }
  const source = { first, count, at };
  putTimes(writer.column('start_ns'), batch.startNs, source);
  putTimes(writer.column('end_ns'), batch.endNs, source);
  putDifferences(writer.column('dur_ns'), batch.endNs, batch.startNs, source);
  putKnown(writer.column('pcpu'), batch.pcpu, source);
}

function fillWaits(writer: TableWriter, { batch, first, count, at }: Piece<WaitBatch>): void {
  const cause = writer.column('cause').values;
  for (let row = 0; row < count; row++) cause[at + row] = batch.cause[first + row];
  const source = { first, count, at };
  putTimes(writer.column('start_ns'), batch.startNs, source);
  putTimes(writer.column('end_ns'), batch.endNs, source);
  putDifferences(writer.column('wait_ns'), batch.endNs, batch.startNs, source);
  putKnown(writer.column('from_pcpu'), batch.fromPcpu, source);
  putKnown(writer.column('to_pcpu'), batch.toPcpu, source);
  putKnown(writer.column('ran_dom'), batch.ranDom, source);
  putKnown(writer.column('ran_vcpu'), batch.ranVcpu, source);
  const ranNs = writer.column('ran_ns');
  for (let row = 0; row < count; row++) {
    if (batch.ranDom[first + row] < 0) continue;
    putInt64(ranNs.values as Uint32Array, at + row, batch.ranNs[first + row]);
    setValid(ranNs, at + row);
  }
  putTimes(writer.column('throttled_ns'), batch.throttledNs, source);
}

function fillJobs(writer: TableWriter, { batch, first, count, at }: Piece<JobBatch>): void {
  const task = writer.column('task').values;
  const job = writer.column('job').values;
  const missed = writer.column('missed');
  for (let row = 0; row < count; row++) {
    task[at + row] = batch.task[first + row];
    job[at + row] = batch.job[first + row];
    if (batch.missed[first + row] === JOB_UNJUDGED) continue;
    setValid(missed, at + row);
    if (batch.missed[first + row] === JOB_MISSED) setBit(missed.values as Uint8Array, at + row);
  }
  const source = { first, count, at };
  const { releaseNs, startNs, completionNs, deadlineNs } = batch;
  putTimes(writer.column('release_ns'), releaseNs, source);
  putTimes(writer.column('start_ns'), startNs, source);
  putTimes(writer.column('completion_ns'), completionNs, source);
  putTimes(writer.column('deadline_ns'), deadlineNs, source);
  putDifferences(writer.column('response_ns'), completionNs, releaseNs, source);
  putDifferences(writer.column('lateness_ns'), completionNs, deadlineNs, source);
  putDifferences(writer.column('tardiness_ns'), completionNs, deadlineNs, source, 0);
}

interface Source {
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

/** Times; NaN is null, which only nullable columns allow. */
function putTimes(column: ColumnBuffer, times: Float64Array, { first, count, at }: Source): void {
  const pairs = column.values as Uint32Array;
  const { nullable } = column.spec;
  for (let row = 0; row < count; row++) {
    const time = times[first + row];
    if (nullable && !Number.isNaN(time)) setValid(column, at + row);
    putInt64(pairs, at + row, time);
  }
}

/** Differences of times, at least `least`; null where either is NaN. */
function putDifferences(
  column: ColumnBuffer,
  ends: Float64Array,
  starts: Float64Array,
  { first, count, at }: Source,
  least = Number.NEGATIVE_INFINITY,
): void {
  const pairs = column.values as Uint32Array;
  const { nullable } = column.spec;
  for (let row = 0; row < count; row++) {
    const difference = ends[first + row] - starts[first + row];
    if (nullable && !Number.isNaN(difference)) setValid(column, at + row);
    putInt64(pairs, at + row, Math.max(difference, least));
  }
}

/** Small numbers; negative is null. */
function putKnown(
  column: ColumnBuffer,
  numbers: Int16Array | Int32Array,
  { first, count, at }: Source,
): void {
  for (let row = 0; row < count; row++) {
    const value = numbers[first + row];
    if (value < 0) continue;
    column.values[at + row] = value;
    setValid(column, at + row);
  }
}
