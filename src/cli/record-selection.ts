import { UserError } from '../base/errors.ts';
import type { RecordBatch } from '../decoder/index.ts';
import { type EventCatalog, type FieldDefinition, readField } from '../format/index.ts';
import type { VcpuName } from './arguments.ts';

/** The filters of `dump`, as the command line gives them. */
export interface RecordFilters {
  readonly pcpu?: ReadonlySet<number>;
  readonly vcpu?: readonly VcpuName[];
  readonly event?: string;
  readonly from?: number;
  readonly to?: number;
}

interface VcpuFields {
  readonly dom: FieldDefinition;
  readonly vcpu: FieldDefinition | undefined;
}

/** Decides which records a user wants to see. */
export class RecordSelection {
  readonly #pcpus: ReadonlySet<number> | undefined;
  readonly #fromNs: number;
  readonly #toNs: number;
  readonly #matchesEvent: ((event: number) => boolean) | undefined;
  /** `dom` or `dom/vcpu`. */
  readonly #wanted: ReadonlyMap<string, VcpuName> | undefined;
  readonly #found = new Set<string>();
  readonly #vcpuFields: readonly (readonly VcpuFields[])[];

  constructor(catalog: EventCatalog, filters: RecordFilters) {
    this.#pcpus = filters.pcpu;
    this.#fromNs = filters.from ?? 0;
    this.#toNs = filters.to ?? Number.POSITIVE_INFINITY;
    this.#matchesEvent = filters.event === undefined ? undefined : eventMatcher(catalog, filters.event);
    this.#wanted = filters.vcpu && new Map(filters.vcpu.map((name) => [nameText(name), name]));
    this.#vcpuFields = catalog.layouts.map((layout) => vcpuFieldsOf(layout?.fields ?? []));
  }

  /** Those of the vCPUs and domains wanted that no record which was asked about names, whatever else was wanted. */
  get missing(): VcpuName[] {
    return [...(this.#wanted ?? [])].flatMap(([text, name]) => (this.#found.has(text) ? [] : [name]));
  }

  takes(batch: RecordBatch, row: number): boolean {
    const isAbout = this.#wanted === undefined || this.#isAbout(this.#wanted, batch, row);
    return isAbout && this.#takesPlace(batch, row);
  }

  #takesPlace(batch: RecordBatch, row: number): boolean {
    const tNs = batch.tNs[row];
    if (tNs < this.#fromNs || tNs >= this.#toNs) return false;
    if (this.#pcpus !== undefined && !this.#pcpus.has(batch.pcpu[row])) return false;
    return this.#matchesEvent === undefined || this.#matchesEvent(batch.event[row]);
  }

  #isAbout(wanted: ReadonlyMap<string, VcpuName>, batch: RecordBatch, row: number): boolean {
    const at = batch.wordsOffset[row];
    let isAbout = false;
    for (const { dom, vcpu } of this.#vcpuFields[batch.layout[row]]) {
      const domText = String(readField(batch.words, at, dom));
      const texts =
        vcpu === undefined ? [domText] : [domText, `${domText}/${readField(batch.words, at, vcpu)}`];
      for (const text of texts) {
        if (!wanted.has(text)) continue;
        this.#found.add(text);
        isAbout = true;
      }
    }
    return isAbout;
  }
}

/** Every pair of fields that names a vCPU: dom and vcpu, prev_dom and prev_vcpu, ... */
function vcpuFieldsOf(fields: readonly FieldDefinition[]): VcpuFields[] {
  return fields
    .filter(({ name }) => name === 'dom' || name.endsWith('_dom'))
    .map((dom) => ({ dom, vcpu: fields.find(({ name }) => name === dom.name.replace(/dom$/, 'vcpu')) }));
}

function nameText({ dom, vcpu }: VcpuName): string {
  return vcpu === undefined ? String(dom) : `${dom}/${vcpu}`;
}

function eventMatcher(catalog: EventCatalog, list: string): (event: number) => boolean {
  const ids = new Set<number>();
  for (const item of list.split(',').map((word) => word.trim())) {
    if (/^0x[0-9a-f]+$/i.test(item)) {
      ids.add(Number(item));
      continue;
    }
    // People leave out what all names of a class begin with: RUNSTATE* stands for TRC_SCHED_RUNSTATE_*.
    const text = item.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    const pattern = new RegExp(`^(TRC_([A-Z0-9]+_)?)?${text}$`, 'i');
    const found = catalog.events.filter(({ name, className }) => pattern.test(name) || className === item);
    if (found.length === 0) {
      throw new UserError('usage', `--event: no event or class is called "${item}"`, {
        hint: 'docs/events.md lists them; * stands for anything',
      });
    }
    for (const { id } of found) ids.add(id);
  }
  return (event) => ids.has(event);
}
