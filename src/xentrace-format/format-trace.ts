import { fstatSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { createRecordBatch, openSource, type TraceReader, type TraceSource } from '../decoder/index.ts';
import { eventOf, headerWord, TRC_TRACE_CPU_CHANGE } from '../format/index.ts';
import { RecordFeed } from './record-feed.ts';
import type { RecordPrinter } from './record-printer.ts';

const CHUNK_BYTES = 1 << 18;

type OnProgress = (doneBytes: number, totalBytes: number) => void;

/**
 * Prints a trace's records as they lie in the file, window headers among them: what xentrace_format does. What comes
 * through a pipe is printed as it comes.
 *
 * @param path of the trace, plain or gzip; `-` is standard input.
 * @throws UserError as openSource does, and not-a-trace.
 */
export async function formatInFileOrder(
  path: string,
  printer: RecordPrinter,
  onProgress?: OnProgress,
): Promise<void> {
  const feed = new RecordFeed((header, high, low, words, at) => {
    if (printer.pcpu === undefined && eventOf(header) !== TRC_TRACE_CPU_CHANGE) throw notATrace(path);
    return printer.print(header, high, low, words, at);
  });
  const stream = path === '-' ? await openPipe() : undefined;
  const toItsEnd = stream?.isPlain
    ? await printPieces(stream.pieces, feed, printer)
    : await printSource(
        await openSource(stream?.pieces ?? path, printer.log, { onProgress }),
        feed,
        onProgress,
      );
  if (toItsEnd && feed.left > 0) tellOfTruncation(feed.left, printer);
}

/**
 * Prints a trace's records in time order across pCPUs, window headers left out: they mean nothing there.
 *
 * @param reader opened with the order `time`.
 */
export function formatInTimeOrder(reader: TraceReader, printer: RecordPrinter): void {
  const batch = createRecordBatch();
  while (reader.readBatch(batch)) {
    const { event, hasTsc, tscHigh, tscLow, wordsOffset, words, pcpu } = batch;
    for (let row = 0; row < batch.count; row++) {
      const at = wordsOffset[row];
      printer.pcpu = pcpu[row];
      const header = headerWord(event[row], wordsOffset[row + 1] - at, hasTsc[row] === 1);
      if (!printer.print(header, tscHigh[row], tscLow[row], words, at)) return;
    }
  }
}

/** Standard input where it is a pipe and no file; `isPlain` where it is no gzip. */
async function openPipe(): Promise<{ pieces: AsyncIterable<Uint8Array>; isPlain: boolean } | undefined> {
  if (process.stdin.isTTY || fstatSync(0).isFile()) return undefined;
  const iterator = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < 2) {
    const { value, done } = await iterator.next();
    if (done) break;
    head.push(value);
    bytes += value.length;
  }
  const start = Buffer.concat(head);
  async function* all(): AsyncGenerator<Uint8Array> {
    yield start;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { pieces: all(), isPlain: start[0] !== 0x1f || start[1] !== 0x8b };
}

async function printPieces(
  pieces: AsyncIterable<Uint8Array>,
  feed: RecordFeed,
  printer: RecordPrinter,
): Promise<boolean> {
  for await (const piece of pieces) {
    const goesOn = feed.take(piece);
    printer.out.flush();
    if (!goesOn) return false;
  }
  return true;
}

async function printSource(source: TraceSource, feed: RecordFeed, onProgress?: OnProgress): Promise<boolean> {
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let at = 0; at < source.bytes; ) {
      const got = source.read(chunk, 0, at, chunk.length);
      if (got === 0) break;
      if (!feed.take(chunk.subarray(0, got))) return false;
      at += got;
      onProgress?.(at, source.bytes);
    }
    return true;
  } finally {
    source.close();
  }
}

function tellOfTruncation(bytes: number, { log }: RecordPrinter): void {
  log.add({
    severity: 'data_loss',
    code: 'truncated_record',
    bytes,
    message: `The trace ends in the middle of a record, of which ${bytes} bytes are there.`,
    advice: 'xentrace was killed, or the disk was full.',
  });
}

function notATrace(path: string): UserError {
  const name = path === '-' ? 'standard input' : path;
  return new UserError('not-a-trace', `${name} is not a xentrace file: its first record names no pCPU`, {
    hint: 'a trace starts with 03 f0 01 20; gzip is fine',
  });
}
