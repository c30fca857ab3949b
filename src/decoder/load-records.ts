import {
  RECORD_WORDS_MAX,
  TRC_TRACE_WRAP_BUFFER,
  WINDOW_HEADER,
  WINDOW_HEADER_BYTES,
} from '../format/index.ts';
import { EVENT_CLASS_MASK } from './index-windows.ts';
import type { LoadTotals, RecordStreams } from './record-streams.ts';
import { PCPU_LIMIT, type Window } from './window-index.ts';

/** A TSC that leaves its predecessor so far behind is compared with those that follow. About 7 ms. */
export const JUMP_TICKS = 2 ** 24;
const JUMP_WITNESSES = 8;
/** After damage within a window, a TSC this far from the last one is no sign of a record. */
const RESUME_TICKS_BACK = 2 ** 36;
const RESUME_TICKS_AHEAD = 2 ** 44;
/** Without any TSC behind it that could tell, one is believed so far ahead, if its record is sound. Some days. */
const LONE_TICKS_AHEAD = 2 ** 50;

/** Fills the block of stream `s` as far as it goes, keeping the rows that have not been taken yet. */
export function refill(streams: RecordStreams, s: number): void {
  compact(streams, s);
  const { blockRows, blockWords, data, rowEnd, wordEnd, windowAt, windowEnd, reader, bytes } = streams;
  const lastRow = (s + 1) * blockRows;
  const lastWord = (s + 1) * blockWords;
  while (rowEnd[s] < lastRow && wordEnd[s] + RECORD_WORDS_MAX <= lastWord) {
    if (windowAt[s] >= windowEnd[s]) {
      const window = streams.feeds[s].next();
      if (window === undefined) {
        streams.done[s] = 1;
        return;
      }
      enterWindow(streams, s, window);
      continue;
    }
    const wanted = Math.min(windowEnd[s] - windowAt[s], (lastWord - wordEnd[s]) * 4);
    const got = reader.read(bytes, wordEnd[s] * 4, windowAt[s], wanted);
    if (got < wanted) {
      reportUnreadable(streams, s, windowAt[s] + got);
      windowEnd[s] = windowAt[s] + got;
    }
    takePiece(streams, s, data, wordEnd[s], got);
  }
}

/** Moves the rows that have not been taken yet to the start of the block. */
function compact(streams: RecordStreams, s: number): void {
  const { blockRows, blockWords, data, positions, keys, pcpus, row, rowEnd, wordEnd } = streams;
  const first = s * blockRows;
  const shiftRows = row[s] - first;
  if (row[s] === rowEnd[s]) {
    row[s] = first;
    rowEnd[s] = first;
    wordEnd[s] = s * blockWords;
    return;
  }
  if (shiftRows === 0) return;
  const from = positions[row[s]];
  const shiftWords = from - s * blockWords;
  data.copyWithin(s * blockWords, from, wordEnd[s]);
  keys.copyWithin(first, row[s], rowEnd[s]);
  pcpus.copyWithin(first, row[s], rowEnd[s]);
  for (let r = row[s]; r < rowEnd[s]; r++) positions[r - shiftRows] = positions[r] - shiftWords;
  row[s] = first;
  rowEnd[s] -= shiftRows;
  wordEnd[s] -= shiftWords;
}

function enterWindow(streams: RecordStreams, s: number, window: Window): void {
  streams.windowAt[s] = window.offset;
  streams.windowEnd[s] = window.offset + window.bytes;
  streams.windowPcpu[s] = window.pcpu;
  if (streams.order === 'file') return;
  // A window that was found late must not bring back a time that has passed, or that of another pCPU of its
  // stream.
  const tail = streams.rowEnd[s] > streams.row[s] ? streams.keys[streams.rowEnd[s] - 1] : streams.floorKey;
  if (tail > streams.lastKey[window.pcpu]) streams.lastKey[window.pcpu] = tail;
}

/** Takes the records among `got` bytes at word `from` of `data`, which continue the window of stream `s`. */
function takePiece(streams: RecordStreams, s: number, data: Uint32Array, from: number, got: number): void {
  const { windowAt, windowEnd, rowEnd, wordEnd, blockRows } = streams;
  const pieceStart = windowAt[s];
  const reachesEnd = pieceStart + got >= windowEnd[s];
  const end = from + (got >>> 2);
  const lastRow = (s + 1) * blockRows;
  let at = from;
  for (;;) {
    at = walkRows(streams, s, at, end, lastRow, pieceStart - from * 4);
    wordEnd[s] = at;
    windowAt[s] = pieceStart + (at - from) * 4;
    if (rowEnd[s] === lastRow) return;
    const left = windowEnd[s] - windowAt[s];
    if (at < end && isWindowHeader(data, at, end)) {
      if (splitWindow(streams, s, data[at + 1], data[at + 2])) return;
    }
    const nonsense = at < end && (data[at] & EVENT_CLASS_MASK) === 0;
    if (!nonsense && !isBareHeader(data, at, end)) {
      if (reachesEnd && left > 0) reportWindowTail(streams, s, left);
      if (reachesEnd) windowAt[s] = windowEnd[s];
      return;
    }
    const resume = findRecord(streams, s, at + 1, end);
    const skippedBytes = resume < end || !reachesEnd ? (resume - at) * 4 : left;
    reportDamage(streams, s, windowAt[s], skippedBytes);
    windowAt[s] += skippedBytes;
    wordEnd[s] = resume;
    at = resume;
    if (windowAt[s] >= windowEnd[s]) return;
  }
}

function isWindowHeader(data: Uint32Array, at: number, end: number): boolean {
  return data[at] === WINDOW_HEADER && at + 3 <= end && data[at + 1] < PCPU_LIMIT;
}

/** A header word of a window where only records can be; it is never a record. */
function isBareHeader(data: Uint32Array, at: number, end: number): boolean {
  return at < end && data[at] === WINDOW_HEADER && at + 3 <= end;
}

/**
 * The hot loop of loading: notes the whole records in words [from, end) of `data` as rows of stream `s`.
 * Returns where it stopped: at `end`, at a record that is not wholly there, at words that cannot be a record,
 * or for want of rows.
 */
function walkRows(
  streams: RecordStreams,
  s: number,
  from: number,
  end: number,
  lastRow: number,
  byteBase: number,
): number {
  const { data, positions, keys, baseLow, baseHigh, lastKey, totals } = streams;
  const pcpu = streams.windowPcpu[s];
  const firstRow = streams.rowEnd[s];
  let row = firstRow;
  let last = lastKey[pcpu];
  let at = from;
  while (at < end && row < lastRow) {
    const header = data[at] | 0;
    const next = at + 1 + ((header >>> 28) & 7) + ((header >>> 31) << 1);
    if (next > end) break;
    let timed = header < 0;
    if ((header & EVENT_CLASS_MASK) <= 0x10000) {
      if ((header & EVENT_CLASS_MASK) === 0 || header === WINDOW_HEADER) break;
      if ((header & 0x0fffffff) === TRC_TRACE_WRAP_BUFFER) timed = false;
    }
    if (timed) {
      const key = (data[at + 2] - baseHigh) * 4294967296 + (data[at + 1] - baseLow);
      if (key >= last && key - last < JUMP_TICKS) last = key;
      else last = unusualKey(streams, s, row, at, end, key, byteBase);
    }
    positions[row] = at;
    keys[row] = last;
    row++;
    at = next;
  }
  lastKey[pcpu] = last;
  streams.pcpus.fill(pcpu, firstRow, row);
  streams.rowEnd[s] = row;
  totals.records += row - firstRow;
  totals.recordsOfPcpu[pcpu] += row - firstRow;
  totals.recordBytes += (at - from) * 4;
  return at;
}

/**
 * The key of a record whose TSC went back or far ahead: its own, or the last one when it cannot be believed.
 *
 * @param row Where the record is about to be noted; the rows before it may turn out to be the wrong ones.
 */
function unusualKey(
  streams: RecordStreams,
  s: number,
  row: number,
  at: number,
  end: number,
  key: number,
  byteBase: number,
): number {
  const { totals, lastKey } = streams;
  const pcpu = streams.windowPcpu[s];
  const last = row > streams.rowEnd[s] ? streams.keys[row - 1] : lastKey[pcpu];
  if (key >= last) {
    if (isJumpBelieved(streams, pcpu, at, end, key, last)) return key;
    streams.doubtedKey[pcpu] = key;
    noteJump(totals, pcpu, byteBase + at * 4);
    return last;
  }
  if (last - key >= JUMP_TICKS && !mostFollowersReach(streams, at, end, last)) {
    const repaired = takeBackJump(streams, s, row, key);
    if (repaired >= 0) {
      noteJump(totals, pcpu, byteBase + at * 4);
      return repaired;
    }
  }
  if (totals.backwards[pcpu]++ === 0) totals.backwardsOffset[pcpu] = byteBase + at * 4;
  totals.backwardsTicks[pcpu] = Math.max(totals.backwardsTicks[pcpu], last - key);
  return last;
}

function noteJump(totals: LoadTotals, pcpu: number, offset: number): void {
  if (totals.jumps[pcpu]++ === 0) totals.jumpsOffset[pcpu] = offset;
}

/**
 * Whether the TSC of the record at `at`, `key`, is far ahead of `last` because time passed: at least half of those that
 * follow are there too. Where none is loaded, what follows must not be damage, and beyond some hours or days the jump
 * is not believed before another TSC goes on from there, perhaps in the next window.
 */
function isJumpBelieved(
  streams: RecordStreams,
  pcpu: number,
  at: number,
  end: number,
  key: number,
  last: number,
): boolean {
  const { reaching, seen, unknown, endsInDamage } = countFollowers(streams, at, end, key);
  if (seen > 0) return reaching * 2 >= seen;
  if (endsInDamage) return false;
  const isSound = unknown === 0 && streams.catalog.layoutIndexOfHeader(streams.data[at]) !== 0;
  if (key - last <= (isSound ? LONE_TICKS_AHEAD : RESUME_TICKS_AHEAD)) return true;
  return goesOn(streams.doubtedKey[pcpu], key);
}

/** Whether `key` lies behind another one as time passes in a trace: not at once, nor after a long time. */
function goesOn(before: number, key: number): boolean {
  return key > before && key - before <= RESUME_TICKS_AHEAD;
}

function mostFollowersReach(streams: RecordStreams, at: number, end: number, key: number): boolean {
  const { below, seen } = countFollowers(streams, at, end, key);
  return below * 2 < seen;
}

/** The next few TSCs behind a record that are loaded already, and what else lies there. */
interface Followers {
  readonly seen: number;
  /** Of sound records: below the key in question, or not. */
  readonly below: number;
  readonly reaching: number;
  /** Records of no known layout that have no TSC, or not all of it yet. */
  readonly unknown: number;
  /** Whether words that cannot be a record came before enough TSCs were seen. */
  readonly endsInDamage: boolean;
}

/**
 * How the TSCs that follow the record at `at` compare with `key`. Damaged bytes look like records too, and agree with
 * each other; such TSCs are seen, but are neither below nor reach. A record is taken for sound if its layout is known
 * or its TSC is not behind the one before it, nor ahead by more than hours: a byte that is repeated makes TSCs of two
 * equal halves, and random bytes make some that are far apart.
 */
function countFollowers(streams: RecordStreams, at: number, end: number, key: number): Followers {
  const { data, catalog, baseLow, baseHigh } = streams;
  const found = { seen: 0, below: 0, reaching: 0, unknown: 0, endsInDamage: false };
  let before = (data[at + 2] - baseHigh) * 4294967296 + (data[at + 1] - baseLow);
  let position = at + 3 + ((data[at] >>> 28) & 7);
  while (position < end && found.seen < JUMP_WITNESSES) {
    const header = data[position];
    found.endsInDamage = (header & EVENT_CLASS_MASK) === 0;
    if (found.endsInDamage || header === WINDOW_HEADER) break;
    const isKnown = catalog.layoutIndexOfHeader(header) !== 0;
    const isWrap = (header & 0x0fffffff) === TRC_TRACE_WRAP_BUFFER;
    if (header >>> 31 && !isWrap && position + 3 <= end) {
      found.seen++;
      const low = data[position + 1];
      const high = data[position + 2];
      const own = (high - baseHigh) * 4294967296 + (low - baseLow);
      if (isKnown || (low !== high && (own === before || goesOn(before, own)))) {
        if (own < key) found.below++;
        else found.reaching++;
      }
      before = own;
    } else if (!isKnown && !isWrap) found.unknown++;
    position += 1 + ((header >>> 28) & 7) + ((header >>> 31) << 1);
  }
  return found;
}

/**
 * One of the last few rows jumped ahead when nothing behind it was loaded yet that could have contradicted
 * it. Gives those rows the time of the record that does; they have not been taken, because the merge waits
 * for a time so far ahead. Returns the record's key, or -1 where it was no jump: too long ago, or the time is
 * past already.
 */
function takeBackJump(streams: RecordStreams, s: number, row: number, key: number): number {
  const { keys, pcpus, order, floorKey } = streams;
  const pcpu = streams.windowPcpu[s];
  if (order === 'time' && key < floorKey) return -1;
  let first = row;
  while (first > streams.row[s] && keys[first - 1] > key) {
    const isOther = first - 1 < streams.rowEnd[s] && pcpus[first - 1] !== pcpu;
    if (isOther || row - first === JUMP_WITNESSES) return -1;
    first--;
  }
  keys.fill(key, first, row);
  return key;
}

/**
 * The next word in [from, end) that looks like the start of a record of a known layout at a time that fits;
 * or `end`.
 */
function findRecord(streams: RecordStreams, s: number, from: number, end: number): number {
  const { data, catalog, baseLow, baseHigh } = streams;
  const last = streams.lastKey[streams.windowPcpu[s]];
  for (let at = from; at < end; at++) {
    if (isWindowHeader(data, at, end)) return at;
    const header = data[at];
    if ((header & EVENT_CLASS_MASK) === 0 || catalog.layoutIndexOfHeader(header) === 0) continue;
    const next = at + 1 + ((header >>> 28) & 7) + ((header >>> 31) << 1);
    if (next > end) continue;
    if (header >>> 31) {
      const key = (data[at + 2] - baseHigh) * 4294967296 + (data[at + 1] - baseLow);
      if (key < last - RESUME_TICKS_BACK || key > last + RESUME_TICKS_AHEAD) continue;
    }
    if (next === end || catalog.layoutIndexOfHeader(data[next]) !== 0) return at;
  }
  return end;
}

/**
 * A window header where a record should be: the window around it ends here. What it announces goes to the
 * stream of its pCPU, and the rest of the outer window is looked at afterwards. Returns whether stream `s`
 * has to leave its piece.
 */
function splitWindow(streams: RecordStreams, s: number, pcpu: number, announced: number): boolean {
  const { windowAt, windowEnd, log, totals } = streams;
  const offset = windowAt[s] + WINDOW_HEADER_BYTES;
  const bytes = Math.min(announced, windowEnd[s] - offset);
  log.add({
    severity: 'error',
    code: 'window_inside_window',
    pcpu,
    offset: windowAt[s],
    message: `A window of pCPU ${pcpu} lies inside a window of pCPU ${streams.windowPcpu[s]}.`,
    advice: 'A window length is wrong: the file was damaged. Records near it may be out of order.',
  });
  totals.innerWindows++;
  const known = streams.streamOfPcpu[pcpu];
  const target = known >= 0 ? known : s;
  const feed = streams.feeds[s];
  const after: Window = {
    offset: offset + bytes,
    bytes: windowEnd[s] - offset - bytes,
    pcpu: streams.windowPcpu[s],
  };
  if (target === s) feed.insert({ offset, bytes, pcpu });
  else {
    streams.feeds[target].insert({ offset, bytes, pcpu });
    streams.done[target] = 0;
  }
  if (after.bytes > 0) feed.insert(after);
  windowAt[s] = windowEnd[s];
  return true;
}

function diagnosticTime(streams: RecordStreams, s: number): number {
  return Math.round(streams.lastKey[streams.windowPcpu[s]] * streams.nsPerTick);
}

function reportDamage(streams: RecordStreams, s: number, offset: number, bytes: number): void {
  const pcpu = streams.windowPcpu[s];
  streams.log.add({
    severity: 'error',
    code: 'damaged_records',
    pcpu,
    offset,
    bytes,
    tNs: diagnosticTime(streams, s),
    message: `Bytes within a window of pCPU ${pcpu} cannot be records; reading went on at the next record.`,
    advice: 'The file was damaged after it was written: copy it again, or record again.',
  });
}

function reportWindowTail(streams: RecordStreams, s: number, bytes: number): void {
  const pcpu = streams.windowPcpu[s];
  const atEnd = streams.windowEnd[s] === streams.sourceBytes;
  streams.log.add({
    severity: atEnd ? 'data_loss' : 'error',
    code: atEnd ? 'truncated_record' : 'record_past_window',
    pcpu,
    offset: streams.windowAt[s],
    bytes,
    tNs: diagnosticTime(streams, s),
    message: atEnd
      ? `The file ends within a record: ${bytes} bytes of it are there.`
      : `The last ${bytes} bytes of a window of pCPU ${pcpu} are no whole record.`,
    advice: atEnd
      ? 'The end of the trace is missing: a full disk, an interrupted copy, or xentrace was killed.'
      : 'The file was damaged after it was written: copy it again, or record again.',
  });
}

function reportUnreadable(streams: RecordStreams, s: number, offset: number): void {
  streams.log.add({
    severity: 'data_loss',
    code: 'file_shrank',
    pcpu: streams.windowPcpu[s],
    offset,
    bytes: streams.windowEnd[s] - offset,
    message: 'The file became shorter while it was read.',
    advice: 'Read the trace after xentrace has ended.',
  });
}
