/**
 * The part of a trace that a user wants to know of: a stretch of time, some pCPUs, some vCPUs. It stands between
 * the timeline and the passes, so that no pass needs to know of it.
 *
 * Intervals are cut to the stretch. A wait counts whole, where it ends; a job where it is released. With pCPUs
 * chosen, an interval counts where the vCPU runs or last ran, a wait where it ends, a record where it was made;
 * jobs and changes of state have no place, and all are told. What one vCPU did may concern another: a pass that
 * hears all gets those of other vCPUs too, and only its rows are chosen.
 * @module
 */
import { createRecordBatch, type RecordBatch } from '../decoder/record-batch.ts';
import {
  type BlameBatch,
  createBlameBatch,
  createJobBatch,
  createRunstateBatch,
  createTransitionBatch,
  createWaitBatch,
  DOM_IDLE,
  domLabel,
  type JobBatch,
  type RunstateBatch,
  type TimelineListener,
  type TransitionBatch,
  vcpuLabel,
  type WaitBatch,
} from '../timeline/index.ts';
import type { ResultTable } from './analysis.ts';

/** Some vCPUs: whole domains, and single ones. */
export class VcpuSelection {
  /** As Xen's tools print them: `d1`, `d2v0`. */
  readonly labels: readonly string[];
  readonly #doms: ReadonlySet<number>;
  readonly #keys: ReadonlySet<number>;
  readonly #domsOfKeys: ReadonlySet<number>;

  /** @param keys single vCPUs, each `dom * 0x10000 + vcpu` */
  constructor(doms: Iterable<number>, keys: Iterable<number>) {
    this.#doms = new Set(doms);
    this.#keys = new Set(keys);
    this.#domsOfKeys = new Set([...this.#keys].map((key) => Math.floor(key / 0x10000)));
    this.labels = [
      ...[...this.#doms].map(domLabel),
      ...[...this.#keys].map((key) => vcpuLabel(Math.floor(key / 0x10000), key % 0x10000)),
    ];
  }

  /** Whether a vCPU is chosen. */
  takes(dom: number, vcpu: number): boolean {
    return this.#doms.has(dom) || this.#keys.has(dom * 0x10000 + vcpu);
  }

  /** Whether any vCPU of a domain is chosen. */
  takesDomain(dom: number): boolean {
    return this.#doms.has(dom) || this.#domsOfKeys.has(dom);
  }
}

/** What is wanted; undefined: all. */
export interface Selection {
  /** Since the start of the trace, as `toNs`, which is not within. */
  readonly fromNs?: number | undefined;
  readonly toNs?: number | undefined;
  /** Numbers of pCPUs. */
  readonly pcpus?: ReadonlySet<number> | undefined;
  readonly vcpus?: VcpuSelection | undefined;
}

const ROWS = 16_384;

/** Hands on to a listener what is selected of each batch. */
export class SelectingListener implements TimelineListener {
  readonly onRunstates?: (batch: RunstateBatch) => void;
  readonly onWaits?: (batch: WaitBatch) => void;
  readonly onJobs?: (batch: JobBatch) => void;
  readonly onTransitions?: (batch: TransitionBatch) => void;
  readonly onBlames?: (batch: BlameBatch) => void;
  readonly #fromNs: number;
  readonly #toNs: number;
  readonly #pcpus: ReadonlySet<number> | undefined;
  readonly #vcpus: VcpuSelection | undefined;

  /** @param hearsAll whether the listener gets all vCPUs */
  constructor(listener: TimelineListener, selection: Selection, hearsAll: boolean) {
    const { fromNs = 0, toNs = Number.POSITIVE_INFINITY, pcpus, vcpus } = selection;
    this.#fromNs = fromNs;
    this.#toNs = toNs;
    this.#pcpus = pcpus;
    this.#vcpus = hearsAll ? undefined : vcpus;
    const { onRunstates, onWaits, onJobs, onTransitions, onBlames } = bound(listener);
    if (onRunstates) this.onRunstates = this.#runstates(onRunstates);
    if (onWaits)
      this.onWaits = this.#choose(createWaitBatch(ROWS), onWaits, (batch, row) =>
        this.#takesWait(batch, row),
      );
    if (onJobs)
      this.onJobs = this.#choose(createJobBatch(ROWS), onJobs, (batch, row) => this.#takesJob(batch, row));
    if (onTransitions) this.onTransitions = this.#transitions(onTransitions);
    if (onBlames)
      this.onBlames = this.#choose(createBlameBatch(ROWS), onBlames, (batch, row) =>
        this.#takesBlame(batch, row),
      );
  }

  #choose<B extends { count: number }>(
    chosen: B,
    listen: (batch: B) => void,
    takes: (batch: B, row: number) => boolean,
  ): (batch: B) => void {
    const copy = rowCopier<B>(chosen);
    return (batch) => {
      chosen.count = 0;
      for (let row = 0; row < batch.count; row++) if (takes(batch, row)) copy(batch, row);
      if (chosen.count > 0) listen(chosen);
    };
  }

  #runstates(listen: (batch: RunstateBatch) => void): (batch: RunstateBatch) => void {
    const chosen = createRunstateBatch(ROWS);
    const copy = rowCopier<RunstateBatch>(chosen);
    return (batch) => {
      chosen.count = 0;
      for (let row = 0; row < batch.count; row++) {
        if (!this.#takesInterval(batch, row)) continue;
        copy(batch, row);
        this.#cut(chosen, chosen.count - 1);
      }
      if (chosen.count > 0) listen(chosen);
    };
  }

  #transitions(listen: (batch: TransitionBatch) => void): (batch: TransitionBatch) => void {
    return this.#choose(
      createTransitionBatch(ROWS),
      (chosen) => {
        for (let row = 0; row < chosen.count; row++) {
          chosen.tNs[row] = Math.min(this.#toNs, Math.max(this.#fromNs, chosen.tNs[row]));
        }
        listen(chosen);
      },
      ({ dom, vcpu }, row) => this.#takesVcpu(dom[row], vcpu[row]),
    );
  }

  #takesInterval({ dom, vcpu, startNs, endNs, pcpu }: RunstateBatch, row: number): boolean {
    if (startNs[row] >= this.#toNs || endNs[row] < this.#fromNs) return false;
    if (endNs[row] === this.#fromNs && startNs[row] < endNs[row]) return false;
    return this.#takesPcpu(pcpu[row]) && this.#takesVcpu(dom[row], vcpu[row]);
  }

  /** An end that is cut is not the one that was seen. */
  #cut({ startNs, endNs, complete }: RunstateBatch, row: number): void {
    if (startNs[row] < this.#fromNs) {
      startNs[row] = this.#fromNs;
      complete[row] &= ~1;
    }
    if (endNs[row] > this.#toNs) {
      endNs[row] = this.#toNs;
      complete[row] &= ~2;
    }
  }

  #takesWait({ dom, vcpu, endNs, toPcpu }: WaitBatch, row: number): boolean {
    return (
      this.#takesInstant(endNs[row]) && this.#takesPcpu(toPcpu[row]) && this.#takesVcpu(dom[row], vcpu[row])
    );
  }

  #takesJob({ dom, vcpu, releaseNs, completionNs }: JobBatch, row: number): boolean {
    const atNs = Number.isNaN(releaseNs[row]) ? completionNs[row] : releaseNs[row];
    return this.#takesInstant(atNs) && this.#takesVcpu(dom[row], vcpu[row]);
  }

  #takesBlame({ vcpuKey, endNs, toPcpu }: BlameBatch, row: number): boolean {
    if (!this.#takesInstant(endNs[row]) || !this.#takesPcpu(toPcpu[row])) return false;
    return this.#takesVcpu(vcpuKey[row] >>> 16, vcpuKey[row] & 0xffff);
  }

  #takesInstant(ns: number): boolean {
    return ns >= this.#fromNs && ns < this.#toNs;
  }

  #takesPcpu(pcpu: number): boolean {
    return this.#pcpus === undefined || this.#pcpus.has(pcpu);
  }

  #takesVcpu(dom: number, vcpu: number): boolean {
    return this.#vcpus === undefined || dom === DOM_IDLE || this.#vcpus.takes(dom, vcpu);
  }
}

/** Copies the selected records of batches into a batch of its own. */
export class SelectingRecords {
  readonly #chosen = createRecordBatch();
  readonly #fromNs: number;
  readonly #toNs: number;
  readonly #pcpus: ReadonlySet<number> | undefined;

  constructor({ fromNs = 0, toNs = Number.POSITIVE_INFINITY, pcpus }: Selection) {
    this.#fromNs = fromNs;
    this.#toNs = toNs;
    this.#pcpus = pcpus;
  }

  /** The selected records of `batch`; the same object in each call. */
  of(batch: RecordBatch): RecordBatch {
    const chosen = this.#chosen;
    chosen.count = 0;
    let words = 0;
    for (let row = 0; row < batch.count; row++) {
      const tNs = batch.tNs[row];
      if (tNs < this.#fromNs || tNs >= this.#toNs) continue;
      if (this.#pcpus !== undefined && !this.#pcpus.has(batch.pcpu[row])) continue;
      const to = chosen.count++;
      chosen.event[to] = batch.event[row];
      chosen.layout[to] = batch.layout[row];
      chosen.pcpu[to] = batch.pcpu[row];
      chosen.hasTsc[to] = batch.hasTsc[row];
      chosen.tscLow[to] = batch.tscLow[row];
      chosen.tscHigh[to] = batch.tscHigh[row];
      chosen.tNs[to] = tNs;
      chosen.wordsOffset[to] = words;
      for (let at = batch.wordsOffset[row]; at < batch.wordsOffset[row + 1]; at++)
        chosen.words[words++] = batch.words[at];
      chosen.wordsOffset[to + 1] = words;
    }
    return chosen;
  }
}

/** The rows of a result that are about a chosen vCPU or domain; of a result about neither, all. */
export function selectRows(table: ResultTable, vcpus: VcpuSelection): ResultTable {
  const dom = table.columns.findIndex(({ name, key }) => name === 'dom' && key);
  if (dom < 0) return table;
  const vcpu = table.columns.findIndex(({ name, key }) => name === 'vcpu' && key);
  const takes = (row: ResultTable['rows'][number]) => {
    if (row[dom] === null) return true;
    const domain = Number(row[dom]);
    return vcpu < 0 || row[vcpu] === null
      ? vcpus.takesDomain(domain)
      : vcpus.takes(domain, Number(row[vcpu]));
  };
  return { ...table, rows: table.rows.filter(takes) };
}

/** Appends a row of a batch of the same kind to `chosen`. */
function rowCopier<B extends { count: number }>(chosen: B): (batch: B, row: number) => void {
  const names = Object.keys(chosen).filter((name) => name !== 'count') as (keyof B)[];
  return (batch, row) => {
    const to = chosen.count++;
    for (const name of names) (chosen[name] as Float64Array)[to] = (batch[name] as Float64Array)[row];
  };
}

/** The listener's methods, tied to it. */
function bound(listener: TimelineListener): TimelineListener {
  const result: Record<string, unknown> = {};
  for (const name of ['onRunstates', 'onWaits', 'onJobs', 'onTransitions', 'onBlames'] as const) {
    if (listener[name] !== undefined)
      result[name] = (listener[name] as (batch: never) => void).bind(listener);
  }
  return result;
}
