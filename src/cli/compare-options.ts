import type { Analysis, ResultTable } from '../analysis/index.ts';
import { renderResultCsv } from '../report/index.ts';
import { print, printBytes } from './output.ts';
import type { ResultFormat } from './result-format.ts';
import type { SelectionOptions } from './selection-options.ts';
import type { TraceOptions } from './trace-options.ts';
import type { ParameterSet } from './variants.ts';

/** The options of both forms of `compare`. */
export interface CompareOptions extends TraceOptions, SelectionOptions {
  readonly format: ResultFormat;
  readonly all?: boolean;
  readonly only?: readonly Analysis[];
  readonly window: number;
  // Traces.
  readonly match?: 'id' | 'name';
  readonly map?: ReadonlyMap<number, number>;
  readonly scenario?: readonly string[];
  readonly domains?: readonly string[];
  // Scenarios.
  readonly schedulers?: readonly string[];
  readonly set?: readonly ParameterSet[];
  readonly seeds?: readonly number[];
  readonly baseline?: string;
  readonly xen?: string;
  readonly duration?: number;
  readonly margin?: number;
  readonly results?: string;
  readonly keep?: string;
  readonly jobs?: number;
}

/** Prints the table as a program wants it. */
export async function printComparison(table: ResultTable, format: 'csv' | 'arrow'): Promise<void> {
  if (format === 'csv') return print(renderResultCsv(table));
  const { resultTableToArrow } = await import('../tables/index.ts');
  printBytes(resultTableToArrow(table));
}
