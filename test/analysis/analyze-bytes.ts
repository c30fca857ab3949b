import { type AnalyzeOptions, analyzeTrace, type TraceAnalysis } from '../../src/analysis/index.ts';
import { type OpenTraceOptions, openTrace, type TraceInput } from '../../src/decoder/index.ts';

export type Row = Record<string, number | string | null>;

/** An analysed trace whose tables are rows of named cells. */
export interface Analyzed {
  readonly analysis: TraceAnalysis;
  rows(table: string): Row[];
}

/** Analyses a trace; hand-made ones have one tick a nanosecond. */
export async function analyze(
  input: TraceInput,
  options: AnalyzeOptions & OpenTraceOptions = {},
): Promise<Analyzed> {
  const reader = await openTrace(input, typeof input === 'string' ? options : { cpuHz: 1e9, ...options });
  const analysis = analyzeTrace(reader, options);
  reader.close();
  return {
    analysis,
    rows(name) {
      const table = analysis.tables.find((candidate) => candidate.name === name);
      if (table === undefined) throw new Error(`no table ${name}`);
      return table.rows.map((row) =>
        Object.fromEntries(table.columns.map((column, index) => [column.name, row[index]])),
      );
    },
  };
}
