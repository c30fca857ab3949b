/** A class as its file has it. */
export interface ClassSource {
  readonly class: string;
  readonly doc?: string | undefined;
  readonly events: readonly EventSource[];
}

export interface EventSource {
  readonly id: string | number;
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
  readonly doc: string;
  readonly tsc?: boolean | undefined;
  readonly layouts: readonly LayoutSource[];
}

export interface LayoutSource {
  readonly words: number;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly doc?: string | undefined;
  readonly fields: readonly FieldSource[];
}

export interface FieldSource {
  readonly name: string;
  readonly offset: number;
  readonly width: number;
  readonly signed?: boolean | undefined;
  readonly unit?: string | undefined;
  readonly values?: Readonly<Record<string, string>> | undefined;
  readonly none?: number | undefined;
  readonly doc: string;
}

export interface MergedEvent {
  readonly className: string;
  readonly source: EventSource;
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
  for (const { class: className, doc, events } of sources) {
    if (doc !== undefined || !classDocs.has(className)) classDocs.set(className, doc ?? '');
    for (const source of events) {
      const id = Number(source.id);
      const before = byId.get(id);
      const same =
        before !== undefined && before.className === className && before.source.name === source.name;
      const older = same ? before.source.layouts : [];
      const kept = older.filter((layout) => !source.layouts.some(({ words }) => words === layout.words));
      const layouts = [...kept, ...source.layouts].sort((a, b) => a.words - b.words);
      byId.set(id, { className, source: { ...source, layouts } });
    }
  }
  const events = [...byId.values()].sort((a, b) => Number(a.source.id) - Number(b.source.id));
  return { events, classDocs };
}
