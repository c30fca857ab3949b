/**
 * xentrace on the simulated clock: drains the rings into a trace file.
 *
 * In: a machine with a clock, the rings that it writes to, and xentrace's options.
 * Out: bytes in xentrace's format, windows of records led by TRC_TRACE_CPU_CHANGE, and a count of what was
 * kept and lost.
 * Knows nothing of what is in a record, nor of what makes them.
 * @module
 */
export { type ByteSink, MemorySink, TraceFile } from './byte-sink.ts';
export { type CpuMask, type CpuRange, parseCpuMask, parseEventMask, selectPcpus } from './masks.ts';
export { MemoryBuffer } from './memory-buffer.ts';
export {
  type OptionKey,
  parseRecorderOptions,
  type RawRecorderOptions,
  type RecorderOptionSpec,
  type RecorderOptions,
  recorderOptionSpecs,
  TRACE_PAGES_DEFAULT,
} from './options.ts';
export { createTraceRings, planRecording, type RecordingPlan, type RecordingTarget } from './plan.ts';
export { type ClockedMachine, type RecordHooks, type Recording, record, recordToFile } from './record.ts';
export { DISK_SPACE_LIMIT, type WindowSink, WindowWriter, windowHeader } from './window-sink.ts';
