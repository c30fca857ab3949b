import type { Analyser } from '../analyser.ts';
import type { XenalyzeOptions } from '../options.ts';
import { processPfXen } from '../shadow/pf-xen.ts';
import type { Pcpu } from '../state.ts';
import {
  AS_NUMBERS,
  HANDLER_BASE,
  HANDLER_HAS_LINE,
  HANDLER_NOTE,
  HANDLER_NOTHING,
  HANDLER_OTHER,
  HANDLER_RDTSC,
  HANDLER_RULES,
  HANDLERS_MAX,
  IN_EXIT,
  NO_EXIT,
  WORD_COUNTS,
} from '../wasm/walk-layout.ts';
import {
  processCrWrite,
  processIntr,
  processMsrRead,
  processMsrWrite,
  processNpf,
  processPort,
  processRdtsc,
  processVmcall,
} from './exit-handlers.ts';
import type { HvmVcpu } from './hvm-vcpu.ts';
import {
  processDestroy,
  processInjExc,
  processInjVirq,
  processPfInject,
  processReinjVirq,
} from './injections.ts';
import { processMmio } from './mmio.ts';
import { noteHandler, setHandlerRule } from './post-process.ts';

type Process = (a: Analyser, p: Pcpu, h: HvmVcpu) => void;

/**
 * A handler's number, the numbers of extra words that its line is made for (the least and the most), what reads it, and
 * what it means for a summary, if wasm/guest-records.ts knows that, and whether it can show it.
 * Up to 4.0, Xen gave each record one word more, which is not set.
 */
type Row = readonly [number: number, wordsMin: number, wordsMax: number, process: Process, rule?: number];

const WORDS_MAX = 7;

/** What Xen did to the guest. */
const TO_GUEST: readonly Row[] = [
  [0x002, 2, 3, processPfInject, HANDLER_NOTHING],
  [0x102, 3, 4, processPfInject, HANDLER_NOTHING],
  [0x003, 2, 3, processInjExc, HANDLER_NOTHING],
  [0x004, 2, 3, processInjVirq],
  [0x005, 1, WORDS_MAX, processReinjVirq, HANDLER_NOTHING],
  [0x020, 3, 4, dump, HANDLER_NOTHING | HANDLER_HAS_LINE],
  [0x100, 0, WORDS_MAX, processDestroy],
];

/** What Xen did about an exit. */
const OF_EXIT: readonly Row[] = [
  [0x001, 2, 3, processPfXen],
  [0x101, 3, 4, processPfXen],
  [0x009, 2, 3, processCrWrite],
  [0x109, 3, 4, processCrWrite],
  // These two look at the number of words themselves.
  [0x00c, 0, WORDS_MAX, processMsrRead],
  [0x00d, 0, WORDS_MAX, processMsrWrite],
  [0x00f, 0, 2, processIntr],
  [0x012, 1, 2, processVmcall],
  [0x016, 1, 2, processPort],
  [0x216, 1, 2, processPort],
  [0x017, 1, 2, processMmio],
  [0x217, 1, 2, processMmio],
  [0x117, 2, 4, processMmio],
  [0x317, 2, 4, processMmio],
  [0x01a, 2, 3, processRdtsc, HANDLER_RDTSC | HANDLER_HAS_LINE],
  [0x021, 6, 7, processNpf, HANDLER_NOTE | HANDLER_HAS_LINE],
];

const byNumber = (rows: readonly Row[]) => new Map(rows.map((row) => [row[0], row]));
const toGuest = byNumber(TO_GUEST);
const ofExit = byNumber(OF_EXIT);

/** A record of one of Xen's handlers: what it did about an exit, or to the guest. */
export function processHandler(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const { options } = a;
  const number = p.event - HANDLER_BASE;
  const injection = toGuest.get(number);
  if (injection !== undefined) {
    if (isReadable(options, p.extraWords, injection)) injection[3](a, p, h);
    else dumpNumbers(a, p, IN_EXIT);
    return;
  }
  if (!h.vmexitValid) {
    dumpNumbers(a, p, NO_EXIT);
    return;
  }
  h.eventHandler = number;
  const handler = ofExit.get(number);
  if (handler !== undefined && isReadable(options, p.extraWords, handler)) handler[3](a, p, h);
  else {
    dumpNumbers(a, p, IN_EXIT);
    if (options.summaryInfo) noteHandler(a, p, h);
  }
}

/** Xenalyze 4.17 does not look at the number of words. */
function isReadable(
  { compat417 }: XenalyzeOptions,
  extraWords: number,
  [, wordsMin, wordsMax]: Row,
): boolean {
  return compat417 || (extraWords >= wordsMin && extraWords <= wordsMax);
}

/** Tells wasm/guest-records.ts what records of handlers mean for lines and a summary. */
export function setHandlerRules(a: Analyser): void {
  a.memory.bytes.fill(HANDLER_NOTE, HANDLER_RULES, HANDLER_RULES + HANDLERS_MAX * WORD_COUNTS);
  const set = (row: Row, otherwise: number) => {
    const [number, , , , known = HANDLER_OTHER] = row;
    const canShow = !a.options.dumpAll || (known & HANDLER_HAS_LINE) !== 0;
    const rule = canShow ? known : HANDLER_OTHER;
    for (let words = 0; words < WORD_COUNTS; words++)
      setHandlerRule(a, number, words, isReadable(a.options, words, row) ? rule : otherwise);
  };
  for (const row of TO_GUEST) set(row, HANDLER_NOTHING);
  for (const row of OF_EXIT) set(row, HANDLER_NOTE);
}

function dump({ lines }: Analyser, p: Pcpu): void {
  lines.dump(p);
}

function dumpNumbers({ lines }: Analyser, p: Pcpu, mark: number): void {
  lines.dump(p, p.event + AS_NUMBERS, mark);
}
