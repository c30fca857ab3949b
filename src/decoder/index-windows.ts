import { type EventCatalog, recordWords, WINDOW_HEADER, WINDOW_HEADER_BYTES } from '../format/index.ts';
import { ByteWindow } from './byte-window.ts';
import type { DiagnosticLog } from './diagnostic-log.ts';
import type { TraceSource } from './trace-source.ts';
import { PCPU_LIMIT, WindowIndex } from './window-index.ts';

/** WINDOW_HEADER as it lies in a file. */
const HEADER_PATTERN = Uint8Array.of(0x03, 0xf0, 0x01, 0x20);
/** Where a growing source makes no sense, so much of it is waited for before that is looked at. */
const DOUBT_BYTES = 64 * 1024;
/** Xen grants a pCPU no larger ring; see docs/recording.md. */
const WINDOW_BYTES_MAX = 65_406 * 4096;
/** So many bytes of a trace have a record in them, even where the header before it is damaged. */
const TELLING_BYTES = 64;
/** How many records behind a doubtful header are looked at. */
const TRIAL_RECORDS = 16;
/** Every event id of Xen has a class in these bits; words without are never the start of a record. */
export const EVENT_CLASS_MASK = 0x0fff0000;

/**
 * Finds the windows of a trace by hopping from header to header, without a look at what is between them.
 * Where a header is not followed by another one or by the end of the file, it lies or bytes are damaged: then
 * the records are walked one by one, and if need be the next header that makes sense is searched for, at any
 * byte position.
 *
 * Afterwards every byte of the source is in a header (12 bytes per window), in a window of the index, or in
 * the `bytes` of a diagnostic.
 */
export function indexWindows(
  source: TraceSource,
  order: 'time' | 'file',
  catalog: EventCatalog,
  log: DiagnosticLog,
): WindowIndex {
  const index = new WindowIndex(order);
  new WindowScanner(source, index, catalog, log).scan(true);
  return index;
}

/** What windows are told to. */
export interface WindowSink {
  add(offset: number, bytes: number, pcpu: number): void;
}

/** Finds the windows of a source that may still grow, see {@link indexWindows}. */
export class WindowScanner {
  readonly #scan: Scan;
  #at = 0;
  /** Bytes of a window that is not wholly there at which its records are looked at again. */
  #nextLookBytes = DOUBT_BYTES;

  constructor(source: TraceSource, index: WindowSink, catalog: EventCatalog, log: DiagnosticLog) {
    const view = new ByteWindow(source);
    this.#scan = {
      view,
      get bytes() {
        return view.bytes;
      },
      catalog,
      index,
      log,
    };
  }

  /** All bytes before this one are in windows, or in diagnostics. */
  get at(): number {
    return this.#at;
  }

  /** Goes on to the end of the source; unless that is `final`, to the first window that is not wholly there. */
  scan(final: boolean): void {
    while (this.#at < this.#scan.bytes) {
      if (!final && this.#needsMore()) return;
      this.#at = scanWindow(this.#scan, this.#at);
      this.#nextLookBytes = DOUBT_BYTES;
    }
  }

  /**
   * Whether what has come is no trace, as far as that can be told before its end, where no window was found: nothing in
   * its first bytes is of one, however short the pieces are that they come in. Where it `isQuiet`, fewer bytes have to
   * do, and all of them are looked at.
   */
  isOther(isQuiet: boolean): boolean {
    const scan = this.#scan;
    const { bytes } = scan;
    if (bytes === 0 || startsHeader(scan, 0)) return false;
    if (bytes >= TELLING_BYTES && !hasTraceWord(scan, TELLING_BYTES)) return true;
    return isQuiet && findWindow(scan, Math.max(1, this.#at)) === bytes;
  }

  /** Whether it takes more bytes to tell what is at the present place. */
  #needsMore(): boolean {
    const scan = this.#scan;
    const at = this.#at;
    const left = scan.bytes - at;
    if (left < WINDOW_HEADER_BYTES) return true;
    const pcpu = scan.view.word(at + 4);
    const bytes = scan.view.word(at + 8);
    if (chainHolds(scan, at, pcpu, bytes)) return false;
    const start = at + WINDOW_HEADER_BYTES;
    const isWindow = scan.view.word(at) === WINDOW_HEADER && pcpu < PCPU_LIMIT && bytes % 4 === 0;
    if (!isWindow || start + bytes <= scan.bytes) return left < DOUBT_BYTES;
    if (left >= WINDOW_BYTES_MAX) return false;
    if (left < this.#nextLookBytes) return true;
    // A length that lies must not hold up everything that follows.
    this.#nextLookBytes = left * 2;
    const { stop } = walkRecords(scan, start, start + bytes);
    return stop === 'end-of-file' || stop === 'claimed-end';
  }
}

interface Scan {
  readonly view: ByteWindow;
  readonly bytes: number;
  readonly catalog: EventCatalog;
  readonly index: WindowSink;
  readonly log: DiagnosticLog;
}

/** Tells of what is at `at`; returns where to go on. */
function scanWindow(scan: Scan, at: number): number {
  if (scan.bytes - at < WINDOW_HEADER_BYTES) {
    reportTail(scan, at);
    return scan.bytes;
  }
  const isHeader = scan.view.word(at) === WINDOW_HEADER;
  const pcpu = scan.view.word(at + 4);
  const bytes = scan.view.word(at + 8);
  if (chainHolds(scan, at, pcpu, bytes) && (isHeader || (at > 0 && bytes > 0))) {
    if (!isHeader) reportDamagedHeader(scan, at, pcpu);
    scan.index.add(at + WINDOW_HEADER_BYTES, bytes, pcpu);
    return at + WINDOW_HEADER_BYTES + bytes;
  }
  if (isHeader && pcpu < PCPU_LIMIT) return salvageWindow(scan, at, pcpu, bytes);
  return skipToNextWindow(scan, at);
}

/** Whether a header at `at` with these contents leads to another header or exactly to the end of the file. */
function chainHolds(scan: Scan, at: number, pcpu: number, bytes: number): boolean {
  if (pcpu >= PCPU_LIMIT || bytes % 4 !== 0) return false;
  const end = at + WINDOW_HEADER_BYTES + bytes;
  return end === scan.bytes || (end < scan.bytes && startsHeader(scan, end));
}

/** Whether a header, or what the end of the file left of one, starts at `at`. */
function startsHeader({ view, bytes }: Scan, at: number): boolean {
  if (bytes - at >= 4) return view.word(at) === WINDOW_HEADER;
  return view.slice(at, bytes - at).every((byte, i) => byte === HEADER_PATTERN[i]);
}

/** Whether there is a header, or the first word of a record of a known layout, in the first bytes after a header. */
function hasTraceWord({ view, catalog }: Scan, bytes: number): boolean {
  for (let at = WINDOW_HEADER_BYTES; at + 4 <= bytes; at += 4) {
    const word = view.word(at);
    if (word === WINDOW_HEADER || catalog.layoutIndexOfHeader(word) !== 0) return true;
  }
  return false;
}

function reportTail(scan: Scan, at: number): void {
  const bytes = scan.bytes - at;
  if (!startsHeader(scan, at)) {
    reportSkipped(scan, at, bytes);
    return;
  }
  scan.log.add({
    severity: 'data_loss',
    code: 'truncated_header',
    offset: at,
    bytes,
    message: `The file ends within a window header, ${bytes} of its 12 bytes are there.`,
    advice: 'The end of the trace is missing: a full disk, an interrupted copy, or xentrace was killed.',
  });
}

function reportDamagedHeader(scan: Scan, at: number, pcpu: number): void {
  scan.log.add({
    severity: 'error',
    code: 'damaged_header',
    pcpu,
    offset: at,
    message: `A window header is damaged, but its pCPU and length make sense: its records were read.`,
    advice: 'The file was changed after it was written: copy it again.',
  });
}

function reportSkipped(scan: Scan, at: number, bytes: number): void {
  scan.log.add({
    severity: 'error',
    code: 'skipped_bytes',
    offset: at,
    bytes,
    message: `${bytes} bytes at offset ${at} make no sense as a trace and were skipped.`,
    advice: 'The file was damaged after it was written: copy it again, or record again.',
  });
}

function skipToNextWindow(scan: Scan, at: number): number {
  const next = findWindow(scan, at + 1);
  reportSkipped(scan, at, next - at);
  return next;
}

/** The next header at or after `from` that makes sense, or the end of the file. */
function findWindow(scan: Scan, from: number): number {
  for (let at = from; ; at++) {
    at = scan.view.indexOf(HEADER_PATTERN, at);
    if (at < 0 || scan.bytes - at < WINDOW_HEADER_BYTES) return scan.bytes;
    if (headerMakesSense(scan, at)) return at;
  }
}

/**
 * Whether a header at `at` is to be believed: it leads to another one, or at least what follows it looks like
 * records.
 */
function headerMakesSense(scan: Scan, at: number): boolean {
  if (at + WINDOW_HEADER_BYTES > scan.bytes) return false;
  const pcpu = scan.view.word(at + 4);
  if (pcpu >= PCPU_LIMIT) return false;
  if (chainHolds(scan, at, pcpu, scan.view.word(at + 8))) return true;
  let known = 0;
  let seen = 0;
  let position = at + WINDOW_HEADER_BYTES;
  while (seen < TRIAL_RECORDS && position + 4 <= scan.bytes) {
    const header = scan.view.word(position);
    if (header === WINDOW_HEADER) break;
    const next = position + 4 * recordWords(header);
    if ((header & EVENT_CLASS_MASK) === 0 || next > scan.bytes) break;
    if (scan.catalog.layoutIndexOfHeader(header) !== 0) known++;
    seen++;
    position = next;
  }
  return known > 0 && known * 2 >= seen;
}

/**
 * A header whose length cannot be believed as it stands. Walks its records to find out where the window ends,
 * adds what is sure to the index and returns the offset at which to go on.
 */
function salvageWindow(scan: Scan, at: number, pcpu: number, bytes: number): number {
  const start = at + WINDOW_HEADER_BYTES;
  const claimedEnd = start + bytes;
  const { stop, end } = walkRecords(scan, start, claimedEnd);
  const hidden = findHidden(scan, start, end);
  if (hidden >= 0) return endWindow(scan, at, pcpu, bytes, Math.min(hidden, Math.max(claimedEnd, start)));
  if (stop !== 'nonsense') return endWindow(scan, at, pcpu, bytes, stop === 'end-of-file' ? scan.bytes : end);
  const next = findWindow(scan, Math.max(end, start));
  return endWindow(scan, at, pcpu, bytes, claimedEnd > end ? Math.min(claimedEnd, next) : end);
}

/**
 * A header among the bytes that were walked as records: where bytes were cut out, all that follows lies at
 * other offsets. To be believed there, it has to lead to another header. -1 where there is none.
 */
function findHidden(scan: Scan, from: number, to: number): number {
  for (let at = from; ; at++) {
    at = scan.view.indexOf(HEADER_PATTERN, at);
    if (at < 0 || at >= to || scan.bytes - at < WINDOW_HEADER_BYTES) return -1;
    if (chainHolds(scan, at, scan.view.word(at + 4), scan.view.word(at + 8))) return at;
  }
}

/** Adds the window whose header is at `at` and whose records end at `end`. Returns where to go on. */
function endWindow(scan: Scan, at: number, pcpu: number, claimed: number, end: number): number {
  const start = at + WINDOW_HEADER_BYTES;
  scan.index.add(start, end - start, pcpu);
  const claimedEnd = start + claimed;
  if (end === scan.bytes && claimedEnd > end)
    reportTruncatedWindow(scan, at, pcpu, claimed, claimedEnd - end);
  else if (end !== claimedEnd) reportWrongLength(scan, at, pcpu, claimed, end - start);
  return end;
}

interface Walk {
  /**
   * Why the walk ended: at a header, at the claimed end, at the end of the file, or where no record can be.
   */
  readonly stop: 'header' | 'claimed-end' | 'end-of-file' | 'nonsense';
  readonly end: number;
}

/**
 * Follows the records from `start` on. At the window's claimed end it goes on only where the records do: the
 * next one is of a known layout and not earlier than the last.
 */
function walkRecords(scan: Scan, start: number, claimedEnd: number): Walk {
  const { view, bytes, catalog } = scan;
  let position = start;
  let last = 0;
  while (position + 4 <= bytes) {
    const header = view.word(position);
    if (header === WINDOW_HEADER && headerMakesSense(scan, position))
      return { stop: 'header', end: position };
    const words = recordWords(header);
    const timed = header >= 0x80000000 && position + 12 <= bytes;
    const tsc = timed ? view.word(position + 8) * 2 ** 32 + view.word(position + 4) : last;
    if (position === claimedEnd) {
      if (!timed || tsc < last || catalog.layoutIndexOfHeader(header) === 0) {
        return { stop: 'claimed-end', end: position };
      }
    }
    if ((header & EVENT_CLASS_MASK) === 0) return { stop: 'nonsense', end: position };
    if (position + words * 4 > bytes) break;
    last = tsc;
    position += words * 4;
  }
  // A header that the end of the file cuts off is a tail of its own.
  if (bytes - position < WINDOW_HEADER_BYTES && bytes > position && startsHeader(scan, position)) {
    return { stop: 'header', end: position };
  }
  return { stop: 'end-of-file', end: position };
}

function reportTruncatedWindow(scan: Scan, at: number, pcpu: number, bytes: number, missing: number): void {
  scan.log.add({
    severity: 'data_loss',
    code: 'truncated_window',
    pcpu,
    offset: at,
    message: `The file ends within a window of pCPU ${pcpu}: ${missing} of its ${bytes} bytes are missing.`,
    advice: 'The end of the trace is missing: a full disk, an interrupted copy, or xentrace was killed.',
  });
}

function reportWrongLength(scan: Scan, at: number, pcpu: number, claimed: number, found: number): void {
  scan.log.add({
    severity: 'error',
    code: 'wrong_window_length',
    pcpu,
    offset: at,
    message: `A window of pCPU ${pcpu} says that it is ${claimed} bytes long, but ${found} bytes of records follow.`,
    advice: 'The file was damaged, or two programs wrote to it at once; the records found were read.',
  });
}
