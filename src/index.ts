/**
 * xenscope as a library: from a scenario to a verdict, in the order in which the data flows.
 *
 *     scenario -> simulator -> ring -> recorder -> [ trace file ] -> decoder -> timeline -> tables, analysis
 *       -> report, page                                 ^ a real xentrace file enters here
 *
 * The write side (1 to 4) and the read side (5 to 12) share `format/` and the file, nothing else.
 * @module
 */

// 8. Answers.
export * from './analysis/index.ts';
// The mistakes of a user, as errors.
export { type Position, UserError, UserErrors } from './base/errors.ts';
// Streams of random numbers, the same on every machine, for task sets.
export { Prng } from './base/prng.ts';
// 9. Answers side by side.
export * from './compare/index.ts';
// 5. Trace file to columns of numbers.
export * from './decoder/index.ts';
// 11. Forms that other tools read.
export * from './export/index.ts';
// What a record is, and what the definitions in formats/ say of it.
export * from './format/index.ts';
// Answers while a trace is still being written.
export * from './live/index.ts';
// 11. Answers as a page to look into.
export * from './page/index.ts';
// 12. SQL over tables and answers.
export * from './query/index.ts';
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
// 10. Answers for people and programs.
export * from './report/index.ts';
// 3. Where records land.
export * from './ring/index.ts';
// 1. What to run.
export * from './scenario/index.ts';
// 2. Run it in virtual time.
export * from './simulator/index.ts';
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
// Where task sets to run come from.
export * from './tasksets/index.ts';
// 6. What each vCPU was doing.
export * from './timeline/index.ts';
