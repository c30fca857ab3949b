import type { EventCatalog } from '../format/index.ts';
import { analyses } from './analyses.ts';
import type { Analysis, ResultTable } from './analysis.ts';
import { WINDOW_NS_DEFAULT } from './analyze-trace.ts';
import { Coverage } from './coverage.ts';

/** A result that a pass gives of any trace: its name and columns, without rows. */
export interface ResultSpec {
  readonly pass: Analysis;
  readonly table: ResultTable;
}

/**
 * Every result that the registered passes give, in the order of a report. They are the passes' answers to a trace in
 * which nothing happens: so what is declared is what comes.
 */
export function resultSpecs(catalog: EventCatalog): ResultSpec[] {
  const context = {
    catalog,
    pcpus: [],
    fromNs: 0,
    coverage: new Coverage(),
    domainParameters: new Map(),
    windowNs: WINDOW_NS_DEFAULT,
  };
  return analyses.flatMap((pass) =>
    pass
      .create(context)
      .finish(0)
      .map((table) => ({ pass, table: { ...table, rows: [] } })),
  );
}
