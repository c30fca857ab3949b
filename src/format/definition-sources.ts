/** A class of events as its definition file has it (docs/events.md): the events share an Arrow table. */
export interface ClassSource {
  /** Its name, which is that of the table. */
  readonly class: string;
  readonly doc?: string | undefined;
  readonly events: readonly EventSource[];
}

/** An event as a definition file has it. */
export interface EventSource {
  /** Xen's number of it, 28 bits, or the same as text: `0x00028004`. */
  readonly id: string | number;
  /** Xen's name in C: `TRC_SCHED_WAKE`. */
  readonly name: string;
  /** Other names that Xen has had for it. */
  readonly aliases?: readonly string[] | undefined;
  readonly doc: string;
  /** False where Xen records it without a cycle count; true unless given. */
  readonly tsc?: boolean | undefined;
  readonly layouts: readonly LayoutSource[];
}

/** What the extra words of an event mean where there are `words` of them, 0 to 7, as a definition file has it. */
export interface LayoutSource {
  readonly words: number;
  /** The first Xen release with this layout. */
  readonly since?: string | undefined;
  /** The last Xen release with it; the newest unless given. */
  readonly until?: string | undefined;
  readonly doc?: string | undefined;
  readonly fields: readonly FieldSource[];
}

/** One named value in a record's extra words, as a definition file has it; `FieldDefinition` says more. */
export interface FieldSource {
  /** snake_case; the column's name in the Arrow table. */
  readonly name: string;
  /** In bits, from bit 0 of the first extra word. */
  readonly offset: number;
  /** In bits, 1 to 64. */
  readonly width: number;
  /** Two's complement; false unless given. */
  readonly signed?: boolean | undefined;
  readonly unit?: string | undefined;
  /** Number -> name, for enumerations. */
  readonly values?: Readonly<Record<string, string>> | undefined;
  /** The value that says that there is none. */
  readonly none?: number | undefined;
  readonly doc: string;
}

/** An event after {@link mergeSources}: what all sources together say of it. */
export interface MergedEvent {
  readonly className: string;
  readonly source: EventSource;
  readonly layouts: readonly MergedLayout[];
}

/** A layout, with which of the sources has it. */
export interface MergedLayout extends LayoutSource {
  /** Index of the source that it is from. */
  readonly from: number;
}

/**
 * One entry per event id, sorted. Of several entries of one id the later source wins: it replaces the layouts
 * of equal `words` where class and name are the same, and the whole event where they are not.
 */
export function mergeSources(sources: readonly ClassSource[]): {
  events: MergedEvent[];
  classDocs: Map<string, string>;
} {
  const byId = new Map<number, MergedEvent>();
  const classDocs = new Map<string, string>();
  for (const [from, { class: className, doc, events }] of sources.entries()) {
    if (doc !== undefined || !classDocs.has(className)) classDocs.set(className, doc ?? '');
    for (const source of events) {
      const id = Number(source.id);
      const before = byId.get(id);
      const same =
        before !== undefined && before.className === className && before.source.name === source.name;
      const older = same ? before.layouts : [];
      const kept = older.filter((layout) => !source.layouts.some(({ words }) => words === layout.words));
      const own = source.layouts.map((layout) => ({ ...layout, from }));
      const layouts = [...kept, ...own].sort((a, b) => a.words - b.words);
      byId.set(id, { className, source, layouts });
    }
  }
  const events = [...byId.values()].sort((a, b) => Number(a.source.id) - Number(b.source.id));
  return { events, classDocs };
}
