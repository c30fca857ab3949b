import type { Analyser } from '../analyser.ts';
import { IN_EXIT, NO_EXIT, startLine } from '../dump-line.ts';
import { processPfXen } from '../shadow/pf-xen.ts';
import type { Pcpu } from '../state.ts';
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
  processIntrWindow,
  processPfInject,
  processReinjVirq,
} from './injections.ts';
import { processMmio } from './mmio.ts';
import { EVENT_64, HANDLER_BASE, HANDLER_NAMES, noteHandler } from './post-process.ts';

const ANY_WORDS = 7;

interface Handler {
  /** Whether the record says something about an exit. */
  readonly ofExit: boolean;
  /** Numbers of extra words that the line is made for. */
  readonly wordsMin: number;
  readonly wordsMax: number;
  readonly process: (a: Analyser, p: Pcpu, h: HvmVcpu) => void;
}

const handlers: (Handler | undefined)[] = [];

/** Up to 4.0, Xen gave each record one word more, which is not set. */
function add(
  ofExit: boolean,
  number: number,
  wordsMin: number,
  process: Handler['process'],
  wordsMax = wordsMin + 1,
) {
  handlers[number] = { ofExit, wordsMin, wordsMax, process };
}

add(true, 0x001, 2, processPfXen);
add(true, 0x101, 3, processPfXen);
add(false, 0x002, 2, processPfInject);
add(false, 0x102, 3, processPfInject);
add(false, 0x003, 2, processInjExc);
add(false, 0x004, 2, processInjVirq);
add(false, 0x005, 1, processReinjVirq);
add(true, 0x009, 2, processCrWrite);
add(true, 0x109, 3, processCrWrite);
// These two look at the number of words themselves.
add(true, 0x00c, 0, processMsrRead, ANY_WORDS);
add(true, 0x00d, 0, processMsrWrite, ANY_WORDS);
add(true, 0x00f, 0, processIntr, 2);
add(true, 0x012, 1, processVmcall);
add(true, 0x016, 1, processPort);
add(true, 0x216, 1, processPort);
add(true, 0x017, 1, processMmio);
add(true, 0x217, 1, processMmio);
add(true, 0x117, 2, processMmio, 4);
add(true, 0x317, 2, processMmio, 4);
add(true, 0x01a, 2, processRdtsc);
add(false, 0x020, 3, processIntrWindow);
add(true, 0x021, 6, processNpf);
add(false, 0x100, 0, processDestroy, ANY_WORDS);

/** A record of one of Xen's handlers: what it did about an exit, or to the guest. */
export function processHandler(a: Analyser, p: Pcpu, h: HvmVcpu): void {
  const { compat417, dumpAll, summaryInfo } = a.options;
  const { event, extraWords } = p;
  const number = event - HANDLER_BASE;
  const handler = handlers[number];
  const known =
    handler !== undefined &&
    (compat417 || (extraWords >= handler.wordsMin && extraWords <= handler.wordsMax));
  if (handler?.ofExit === false) {
    if (known) handler.process(a, p, h);
    else if (dumpAll) dumpHandler(a, p, IN_EXIT);
    return;
  }
  if (!h.vmexitValid) {
    if (dumpAll) dumpHandler(a, p, NO_EXIT);
    return;
  }
  h.eventHandler = number;
  if (known) handler.process(a, p, h);
  else {
    if (dumpAll) dumpHandler(a, p, IN_EXIT);
    if (summaryInfo) noteHandler(a, p, h);
  }
}

function dumpHandler(a: Analyser, p: Pcpu, mark: number): void {
  const { out } = a;
  const number = (p.event - HANDLER_BASE) & ~EVENT_64;
  startLine(a, mark);
  out.text(' ');
  out.text(number < HANDLER_NAMES.length ? HANDLER_NAMES[number] : `hvm_handler ${number}`);
  out.text(p.event & EVENT_64 ? '64 [' : ' [');
  for (let i = 0; i < p.extraWords; i++) {
    out.text(' ');
    out.hex(p.word(i));
  }
  out.text(' ]\n');
}
