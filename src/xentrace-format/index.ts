/**
 * The drop-in for xentrace_format: a trace in, one line a record out, as the rules of a definitions file say.
 *
 * A rule is `EVENT_ID FORMAT`, the format one of Python's `%` operator: `0x00028004 CPU%(cpu)d wake 0x%(1)08x`. It
 * knows a record's pCPU, TSC, event and words, not its layout: the language says no more. Rules come from the user's
 * file or are made from the definitions in `formats/`.
 */
export { definitionsText } from './definitions-text.ts';
export { formatInFileOrder, formatInTimeOrder } from './format-trace.ts';
export { parseRules, type Rule, readRules } from './parse-rules.ts';
export { RecordPrinter } from './record-printer.ts';
