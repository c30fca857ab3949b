/**
 * What single records tell and the timeline does not: the scheduler's numbers as counters, and where records are lost.
 * @module
 */
import { type FieldPlaces, fieldPlaces } from '../../analysis/scheduler-records.ts';
import type { RecordBatch, TraceClock } from '../../decoder/index.ts';
import { type EventCatalog, type LayoutDefinition, TRC_LOST_RECORDS } from '../../format/index.ts';
import { isVcpu } from '../linux-ids.ts';
import type { PacketWriter } from './packet-writer.ts';
import { type Tracks, UNIT } from './tracks.ts';

interface CounterSpec {
  readonly name: string;
  readonly unit: number;
  readonly of: 'vcpu' | 'runqueue';
  /** Event -> its field; older records of another id too. */
  readonly fields: Readonly<Record<string, string>>;
  /** The value that says that there is none. */
  readonly none?: number;
}

const COUNTERS: readonly CounterSpec[] = [
  {
    name: 'credit',
    unit: UNIT.ns,
    of: 'vcpu',
    fields: { TRC_CSCHED2_CREDIT_BURN: 'credit', TRC_CSCHED2_CREDIT_RESET: 'credit_end' },
  },
  {
    name: 'budget',
    unit: UNIT.ns,
    of: 'vcpu',
    fields: {
      TRC_CSCHED2_CREDIT_BURN: 'budget_ns',
      TRC_RTDS_BUDGET_BURN: 'budget_ns',
      TRC_RTDS_BUDGET_REPLENISH: 'budget_ns',
      TRC_RTXEN_BUDGET_BURN: 'budget_ns',
      TRC_RTXEN_BUDGET_REPLENISH: 'budget_ns',
      TRC_RTXEN_BUDGET_RETURN: 'budget_ns',
    },
    none: -0x80000000,
  },
  {
    name: 'vCPUs',
    unit: UNIT.count,
    of: 'runqueue',
    fields: { TRC_CSCHED2_UPDATE_RUNQ_LOAD: 'instant_load' },
  },
];

/** The bit after those of the counters: the record tells of losses. */
const LOSS = 1 << COUNTERS.length;
const TWO_TO_32 = 2 ** 32;

export class RecordTracks {
  readonly #writer: PacketWriter;
  readonly #tracks: Tracks;
  readonly #nsPerTick: number;
  /** By layout: bits of the counters that it has values for, or {@link LOSS}. */
  readonly #todo: Uint8Array;
  readonly #values: readonly FieldPlaces[];
  readonly #dom: FieldPlaces;
  readonly #vcpu: FieldPlaces;
  readonly #runqueue: FieldPlaces;
  readonly #lost: FieldPlaces;
  readonly #firstTsc: FieldPlaces;
  /** By pCPU: where its last loss ends. */
  readonly #lossEndNs: number[] = [];

  constructor(writer: PacketWriter, tracks: Tracks, catalog: EventCatalog, clock: TraceClock) {
    this.#writer = writer;
    this.#tracks = tracks;
    this.#nsPerTick = 1e9 / (clock.cpuHz ?? 1e9);
    const named = (name: string) => fieldPlaces(catalog, () => name);
    this.#dom = named('dom');
    this.#vcpu = named('vcpu');
    this.#runqueue = named('runqueue');
    this.#lost = named('lost');
    this.#firstTsc = named('first_tsc');
    this.#values = COUNTERS.map(({ fields }) =>
      fieldPlaces(catalog, ({ event }) => fields[plain(event.name)]),
    );
    this.#todo = Uint8Array.from(catalog.layouts, (layout) => this.#todoOf(layout));
  }

  onRecords(batch: RecordBatch): void {
    const todos = this.#todo;
    const { count, layout } = batch;
    for (let row = 0; row < count; row++) {
      const todo = todos[layout[row]];
      if (todo === 0) continue;
      if (todo === LOSS) this.#loss(batch, row);
      for (let counter = 0; counter < COUNTERS.length; counter++) {
        if ((todo & (1 << counter)) !== 0) this.#count(batch, row, counter);
      }
    }
  }

  #todoOf(layout: LayoutDefinition | undefined): number {
    if (layout === undefined) return 0;
    const { index, event } = layout;
    if (event.id === TRC_LOST_RECORDS) return LOSS;
    let todo = 0;
    for (const [counter, { of }] of COUNTERS.entries()) {
      const owner = of === 'vcpu' ? [this.#dom, this.#vcpu] : [this.#runqueue];
      const places = [this.#values[counter] as FieldPlaces, ...owner];
      if (places.every(({ word }) => word[index] >= 0)) todo |= 1 << counter;
    }
    return todo;
  }

  #count(batch: RecordBatch, row: number, counter: number): void {
    const { name, unit, of, none } = COUNTERS[counter] as CounterSpec;
    const value = signed(this.#values[counter] as FieldPlaces, batch, row);
    if (value === none) return;
    const owner = of === 'vcpu' ? this.#key(batch, row) : word(this.#runqueue, batch, row);
    if (of === 'vcpu' && !isVcpu(owner)) return;
    const track =
      of === 'vcpu'
        ? this.#tracks.vcpuCounter(counter, name, unit, owner)
        : this.#tracks.runQueueCounter(counter, name, unit, owner);
    this.#writer.counter(batch.tNs[row], track, value);
  }

  #key(batch: RecordBatch, row: number): number {
    return ((word(this.#dom, batch, row) << 16) | (word(this.#vcpu, batch, row) & 0xffff)) >>> 0;
  }

  /** Lost records, from the first of them to the record that tells of them. */
  #loss(batch: RecordBatch, row: number): void {
    const pcpu = batch.pcpu[row];
    const endNs = batch.tNs[row];
    const at = batch.wordsOffset[row] + this.#firstTsc.word[batch.layout[row]];
    const tellsFirst = this.#firstTsc.word[batch.layout[row]] >= 0 && batch.hasTsc[row] === 1;
    const ticks = tellsFirst
      ? (batch.tscHigh[row] - batch.words[at + 1]) * TWO_TO_32 + (batch.tscLow[row] - batch.words[at])
      : 0;
    const firstNs = Math.max(Math.floor(endNs - ticks * this.#nsPerTick), this.#lossEndNs[pcpu] ?? 0);
    this.#lossEndNs[pcpu] = endNs;
    this.#writer.slice(Math.min(firstNs, endNs), endNs, this.#tracks.losses(pcpu), 'lost records', [
      ['lost', word(this.#lost, batch, row)],
    ]);
  }
}

/** formats/older has definitions such as TRC_CSCHED2_CREDIT_BURN_4_2. */
function plain(event: string): string {
  return event.replace(/_\d+_\d+$/, '');
}

function word({ word: words, shift, mask }: FieldPlaces, batch: RecordBatch, row: number): number {
  const layout = batch.layout[row];
  return ((batch.words[batch.wordsOffset[row] + words[layout]] >>> shift[layout]) & mask[layout]) >>> 0;
}

/** A field of 32 or 64 bits as the signed number that it is; a narrower one has no sign. */
function signed(places: FieldPlaces, batch: RecordBatch, row: number): number {
  const layout = batch.layout[row];
  const at = batch.wordsOffset[row] + places.word[layout];
  if (places.wide[layout] === 1) return (batch.words[at + 1] | 0) * TWO_TO_32 + batch.words[at];
  return places.mask[layout] === -1 ? batch.words[at] | 0 : word(places, batch, row);
}
