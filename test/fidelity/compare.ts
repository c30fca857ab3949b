import { RECORD_WORDS_MAX, recordWords, WINDOW_HEADER } from '../../src/format/record.ts';

/** How far two sequences are the same: how many items before the first difference, and that difference. */
export interface Agreement {
  readonly agreed: number;
  /** How many the reference has. */
  readonly total: number;
  /** In words; undefined if there is none. */
  readonly difference: string | undefined;
}

/** Context switches: the rows of two switches csv below their heading. */
export function compareSwitches(ours: string, theirs: string): Agreement {
  const total = countRows(theirs);
  if (ours === theirs) return { agreed: total, total, difference: undefined };
  const a = ours.split('\n');
  const b = theirs.split('\n');
  const at = a.findIndex((row, i) => row !== b[i]);
  const line = at < 0 ? a.length : at;
  const [mine, other] = [a[line] || 'none', b[line] || 'none'];
  const difference = `switch ${line}: ours ${mine}, the reference ${other} (of ${total}), after ${b[line - 1]}`;
  return { agreed: Math.max(0, line - 1), total, difference };
}

function countRows(csv: string): number {
  return csv.split('\n').length - 2;
}

/**
 * Records of two trace files, each pCPU's in its order. The first difference is the one with the lowest TSC,
 * and records agree before it that have a lower one. Windows count only where all records agree.
 */
export function compareRecords(ours: Uint8Array, theirs: Uint8Array): Agreement {
  const total = countRecords(theirs);
  if (Buffer.compare(ours, theirs) === 0) return { agreed: total, total, difference: undefined };
  const a = recordsByPcpu(wordsOf(ours));
  const b = recordsByPcpu(wordsOf(theirs));
  let firstTsc: bigint | undefined;
  let difference = 'the records agree, but the file cuts them into other windows';
  for (const pcpu of [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => x - y)) {
    const mine = a.get(pcpu) ?? [];
    const others = b.get(pcpu) ?? [];
    const at = firstUnlike(mine, others);
    if (at < 0) continue;
    const tsc = earlier(mine[at]?.tsc, others[at]?.tsc);
    if (firstTsc !== undefined && tsc >= firstTsc) continue;
    firstTsc = tsc;
    const [one, other] = [mine[at]?.text ?? 'none', others[at]?.text ?? 'none'];
    const after = others[at - 1]?.text ?? 'the start';
    difference = `record ${at} of pCPU ${pcpu}: ours ${one}, the reference ${other}, after ${after}`;
  }
  const before = (tsc: bigint) => firstTsc === undefined || tsc < firstTsc;
  const agreed = [...b.values()].flat().filter(({ tsc }) => before(tsc)).length;
  return { agreed, total, difference };
}

function earlier(a: bigint | undefined, b: bigint | undefined): bigint {
  if (a === undefined) return b!;
  return b !== undefined && b < a ? b : a;
}

interface PlainRecord {
  readonly tsc: bigint;
  readonly text: string;
}

function firstUnlike(mine: readonly PlainRecord[], others: readonly PlainRecord[]): number {
  const length = Math.max(mine.length, others.length);
  for (let at = 0; at < length; at += 1) if (mine[at]?.text !== others[at]?.text) return at;
  return -1;
}

function recordsByPcpu(words: Uint32Array): Map<number, PlainRecord[]> {
  const found = new Map<number, PlainRecord[]>();
  let into: PlainRecord[] = [];
  for (let at = 0; at < words.length; ) {
    if (words[at] === WINDOW_HEADER) {
      const pcpu = words[at + 1]!;
      into = found.get(pcpu) ?? [];
      found.set(pcpu, into);
      at += 3;
      continue;
    }
    into.push(plainRecord(words, at));
    at += recordWords(words[at]!);
  }
  return found;
}

function plainRecord(words: Uint32Array, at: number): PlainRecord {
  const size = Math.min(recordWords(words[at]!), RECORD_WORDS_MAX);
  const hex = Array.from(words.subarray(at + 3, at + size), (word) => word.toString(16)).join(' ');
  const tsc = (BigInt(words[at + 2] ?? 0) << 32n) | BigInt(words[at + 1] ?? 0);
  return { tsc, text: `${((words[at]! & 0x0fffffff) >>> 0).toString(16)} at tsc ${tsc} [${hex}]` };
}

function countRecords(trace: Uint8Array): number {
  const words = wordsOf(trace);
  let count = 0;
  for (let at = 0; at < words.length; ) {
    const isWindow = words[at] === WINDOW_HEADER;
    if (!isWindow) count += 1;
    at += isWindow ? 3 : recordWords(words[at]!);
  }
  return count;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const copy = Uint8Array.from(bytes.subarray(0, bytes.length & ~3));
  return new Uint32Array(copy.buffer);
}
