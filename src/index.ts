/**
 * xenscope as a library: from a scenario to a verdict, in the order in which the data flows.
 *
 *     scenario -> simulator -> ring -> recorder -> [ trace file ] -> decoder -> timeline -> tables, analysis
 *       -> report, page                                 ^ a real xentrace file enters here
 *
 * The write side (1 to 4) and the read side (5 to 12) share `format/` and the file, nothing else.
 * @module
 */

// 1. What to run, and where task sets to run come from.

export * from './scenario/index.ts';
export * from './tasksets/index.ts';

// 2. Run it in virtual time.

export * from './simulator/index.ts';

// 3. Where records land.

export * from './ring/index.ts';

// 4. Rings to a trace file.

export {
  type ByteSink,
  type ClockedMachine,
  type CpuMask,
  type CpuRange,
  createTraceRings,
  MemorySink,
  type OptionKey,
  parseRecorderOptions,
  planRecording,
  type RawRecorderOptions,
  type RecorderOptionSpec,
  type RecorderOptions,
  type RecordHooks,
  type Recording,
  type RecordingPlan,
  type RecordingTarget,
  record,
  recorderOptionSpecs,
  recordToFile,
  TraceFile,
} from './recorder/index.ts';

// 5. Trace file to columns of numbers.

export * from './decoder/index.ts';

// 6. What each vCPU was doing.

export * from './timeline/index.ts';

// 7. Arrow tables.

export {
  type ArrowFormat,
  type ArrowTypeName,
  type ColumnSpec,
  DescriptorSink,
  FileSink,
  MemoryOutputSink,
  type OutputSink,
  type ResultColumn,
  type ResultTableLike,
  type ResultTableOptions,
  resultTableToArrow,
  streamTable,
  type TableKind,
  type TableSource,
  type TableSpec,
  tableSpecs,
  type WriteTablesOptions,
  type WrittenTable,
  writeTables,
} from './tables/index.ts';

// 8. Answers.

export * from './analysis/index.ts';

// 9. Answers side by side, and while a trace is still being written.

export * from './compare/index.ts';
export * from './live/index.ts';

// 10. Answers for people and programs.

export * from './report/index.ts';

// 11. A page to look into, and forms that other tools read.

export * from './export/index.ts';
export * from './page/index.ts';

// 12. SQL over tables and answers.

export * from './query/index.ts';

// All along: what a record is, the mistakes of a user, random numbers that are the same on every machine.

export { type Position, UserError, UserErrors } from './base/errors.ts';
export { Prng } from './base/prng.ts';
export * from './format/index.ts';
