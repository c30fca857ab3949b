import { BATCH_ROWS, type RecordBatch } from '../decoder/index.ts';
import {
  type EventCatalog,
  type FieldDefinition,
  type LayoutDefinition,
  readField,
  TRC_LOST_RECORDS,
} from '../format/index.ts';
import { DOM_IDLE } from '../timeline/index.ts';
import { PLACE_UNKNOWN, PlaceTracker } from '../timeline/place-tracker.ts';
import { isRunstateChange } from './table-specs.ts';

/** Bits of {@link VcpuAttribution.known}. */
export const DOM_KNOWN = 1;
export const VCPU_KNOWN = 2;
const BOTH_KNOWN = DOM_KNOWN | VCPU_KNOWN;

/** What a record tells about who runs on which pCPU: the lowest three bits of a layout's plan. */
const TELLS = 7;
const TELLS_NOTHING = 0;
/** A runstate change from running. */
const TELLS_STOP = 1;
/** A runstate change to running. */
const TELLS_RUN = 2;
/** A runstate change that has to do with neither. */
const TELLS_OTHER_STATE = 3;
/** The named vCPU runs on the pCPU that recorded it. */
const TELLS_RUNS_HERE = 4;
/** The same, after records were lost. */
const TELLS_LOSS = 5;
/** The vCPU named as next runs here from now on. */
const TELLS_SWITCH = 6;

/**
 * How a layout names its vCPU: in one word, domain in the upper half (the usual way); in two words; somehow
 * else.
 */
const NAMES_PACKED = 0x08;
const NAMES_APART = 0x10;
const NAMES_OTHERWISE = 0x20;
/** In which extra words. */
const DOM_WORD_SHIFT = 8;
const VCPU_WORD_SHIFT = 12;

const TRC_SCHED_CONTINUE_RUNNING = 0x21002;
const TRC_SCHED_SWITCH = 0x2800a;

/** A vCPU packed as in Xen's records that cannot occur: nobody. */
const NOBODY = -1;
const PLACES = 1 << 16;

/**
 * Which vCPU each record is about: the one that it names, else the one known to run on its pCPU from the
 * records before. After {@link annotate} row i of the arrays belongs to row i of the batch.
 *
 * Runstate changes, switches and the like tell who runs where; with core scheduling that takes some care, see
 * {@link PlaceTracker}.
 */
export class VcpuAttribution {
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  /** Which of the two are known. */
  readonly known: Uint8Array;
  /** Whether every record of the last batch has a known domain and vCPU. */
  complete = true;
  readonly #layouts: readonly (LayoutDefinition | undefined)[];
  /** By layout: the bits above. */
  readonly #plans: Uint16Array;
  readonly #places = new PlaceTracker();
  /** Whether {@link PlaceTracker.coreScheduling} has been heeded. */
  #siblings = false;
  /** By pCPU: the vCPU running there, packed. */
  readonly #running = new Int32Array(PLACES).fill(NOBODY);
  /** A direct-mapped cache from vCPU to the pCPU where it runs; a collision forgets one of the two. */
  readonly #placeKey = new Int32Array(PLACES).fill(NOBODY);
  readonly #place = new Int32Array(PLACES);

  constructor(catalog: EventCatalog, rows = BATCH_ROWS) {
    this.dom = new Uint16Array(rows);
    this.vcpu = new Uint16Array(rows);
    this.known = new Uint8Array(rows);
    this.#layouts = catalog.layouts;
    this.#plans = Uint16Array.from(catalog.layouts, (layout) => (layout ? planOf(layout) : TELLS_NOTHING));
  }

  annotate(batch: RecordBatch): void {
    const { dom, vcpu, known } = this;
    const plans = this.#plans;
    const running = this.#running;
    const { count, layout, pcpu, wordsOffset } = batch;
    const words = new Int32Array(batch.words.buffer, batch.words.byteOffset, batch.words.length);
    let complete = true;
    known.fill(BOTH_KNOWN, 0, count); // Cheaper at once than row by row; exceptions follow.
    for (let row = 0; row < count; row++) {
      const plan = plans[layout[row]];
      let packed: number;
      if (plan & NAMES_PACKED) {
        packed = words[wordsOffset[row] + (plan >> VCPU_WORD_SHIFT)];
      } else if (plan & NAMES_APART) {
        const base = wordsOffset[row];
        const d = words[base + ((plan >> DOM_WORD_SHIFT) & 7)];
        const v = words[base + (plan >> VCPU_WORD_SHIFT)];
        packed = (d | v) >>> 16 === 0 ? (d << 16) | v : NOBODY;
      } else if (plan & NAMES_OTHERWISE) {
        if (this.#readNames(plan & TELLS, batch, row) !== BOTH_KNOWN) complete = false;
        continue;
      } else {
        packed = running[pcpu[row]];
      }
      if (packed === NOBODY) {
        dom[row] = 0;
        vcpu[row] = 0;
        known[row] = 0;
        complete = false;
      } else {
        dom[row] = packed >>> 16;
        vcpu[row] = packed;
      }
      if (plan & TELLS) this.#follow(plan & TELLS, batch, row, packed);
    }
    this.complete = complete;
  }

  /** Layouts that have only one of the two names, or have them at odd places. */
  #readNames(tells: number, batch: RecordBatch, row: number): number {
    const layout = this.#layouts[batch.layout[row]] as LayoutDefinition;
    const dom = readName(batch, row, layout, 'dom');
    const vcpu = readName(batch, row, layout, 'vcpu');
    this.dom[row] = dom ?? 0;
    this.vcpu[row] = vcpu ?? 0;
    this.known[row] = (dom === undefined ? 0 : DOM_KNOWN) | (vcpu === undefined ? 0 : VCPU_KNOWN);
    if (tells)
      this.#follow(tells, batch, row, dom !== undefined && vcpu !== undefined ? (dom << 16) | vcpu : NOBODY);
    return this.known[row];
  }

  /** Keeps up with who runs where. `packed` is the vCPU that the record names, or {@link NOBODY}. */
  #follow(tells: number, batch: RecordBatch, row: number, packed: number): void {
    const here = batch.pcpu[row];
    const idleOf = packed >>> 16 === DOM_IDLE ? packed & 0xffff : -1;
    const places = this.#places;
    switch (tells) {
      case TELLS_STOP: {
        const place = places.leave(batch.tNs[row], here, idleOf, this.#placeOf(packed));
        if (places.coreScheduling && !this.#siblings) this.#forgetPlaces();
        if (place >= 0 && this.#running[place] === packed) this.#running[place] = NOBODY;
        break;
      }
      case TELLS_RUN: {
        const place = places.enter(here, idleOf);
        if (places.coreScheduling && !this.#siblings) this.#forgetPlaces();
        this.#runs(packed, place);
        break;
      }
      case TELLS_OTHER_STATE:
        places.interrupt(here);
        break;
      case TELLS_RUNS_HERE:
        this.#runs(packed, here);
        break;
      case TELLS_LOSS:
        places.interrupt(here);
        this.#runs(packed, here);
        break;
      case TELLS_SWITCH: {
        const next = batch.wordsOffset[row] + 2;
        places.switchAhead(batch.tNs[row], here);
        if (places.coreScheduling) break; // The vCPU named stands for a whole unit: the runstate changes tell.
        this.#running[here] = (batch.words[next] << 16) | (batch.words[next + 1] & 0xffff);
        break;
      }
    }
  }

  /** Core scheduling shows: that vCPUs run where their records were made was wrong. */
  #forgetPlaces(): void {
    this.#siblings = true;
    this.#running.fill(NOBODY);
    this.#placeKey.fill(NOBODY);
  }

  #runs(packed: number, place: number): void {
    if (place >= 0) this.#running[place] = packed;
    const slot = slotOf(packed);
    this.#placeKey[slot] = packed;
    this.#place[slot] = place;
  }

  #placeOf(packed: number): number {
    const slot = slotOf(packed);
    return this.#placeKey[slot] === packed ? this.#place[slot] : PLACE_UNKNOWN;
  }
}

function slotOf(packed: number): number {
  return Math.imul(packed, 0x9e3779b1) >>> 16;
}

function readName(
  batch: RecordBatch,
  row: number,
  layout: LayoutDefinition,
  name: string,
): number | undefined {
  const definition = fieldOf(layout, name);
  if (!definition) return undefined;
  const value = Number(readField(batch.words, batch.wordsOffset[row], definition));
  return value >= 0 && value <= 0xffff ? value : undefined;
}

function fieldOf(layout: LayoutDefinition, name: string): FieldDefinition | undefined {
  return layout.fields.find((field) => field.name === name);
}

function planOf(layout: LayoutDefinition): number {
  return namesOf(layout) | tellsOf(layout);
}

function namesOf(layout: LayoutDefinition): number {
  const dom = fieldOf(layout, 'dom');
  const vcpu = fieldOf(layout, 'vcpu');
  if (!dom && !vcpu) return 0;
  if (!dom || !vcpu || vcpu.offset % 32 !== 0) return NAMES_OTHERWISE;
  const words = ((dom.offset >>> 5) << DOM_WORD_SHIFT) | ((vcpu.offset >>> 5) << VCPU_WORD_SHIFT);
  if (vcpu.width === 16 && dom.width === 16 && dom.offset === vcpu.offset + 16) return NAMES_PACKED | words;
  if (vcpu.width === 32 && dom.width === 32 && dom.offset % 32 === 0) return NAMES_APART | words;
  return NAMES_OTHERWISE;
}

function tellsOf({ event: { id }, words }: LayoutDefinition): number {
  if (isRunstateChange(id)) {
    const from = (id >>> 8) & 3;
    const to = (id >>> 4) & 3;
    return to === 0 ? TELLS_RUN : from === 0 ? TELLS_STOP : TELLS_OTHER_STATE;
  }
  if (id === TRC_SCHED_CONTINUE_RUNNING) return TELLS_RUNS_HERE;
  if (id === TRC_LOST_RECORDS) return TELLS_LOSS;
  if (id === TRC_SCHED_SWITCH && words === 4) return TELLS_SWITCH;
  return TELLS_NOTHING;
}
