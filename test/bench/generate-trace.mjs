/**
 * Writes large traces fast: what `xentrace -e 0x0002f000` would record on a busy host, a window per pCPU every 100 ms.
 * Deterministic; the same arguments give the same bytes.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

const SWEEP_NS = 100_000_000;
const TICKS_PER_NS = 2.4;
/** A host that has been up for a month: TSCs need more than 32 bits. */
const TSC_START = 30 * 86_400 * 2_400_000_000;
/** Header word: event, extra words, cycle count present. */
const header = (event, words) => (event | (words << 28) | (1 << 31)) >>> 0;
const INFPREV = header(0x2800e, 3);
const INFNEXT = header(0x2800f, 4);
const SWITCH = header(0x2800a, 4);
const WAKE = header(0x28004, 2);
const TICKLE = header(0x22006, 1);
const RUNNING_TO_BLOCKED = header(0x21021, 1);
const RUNNABLE_TO_RUNNING = header(0x21101, 1);
const BLOCKED_TO_RUNNABLE = header(0x21211, 1);
/** One context switch: block, switch, run, and a wake-up of the vCPU that comes next. */
const RECORDS_PER_SWITCH = 8;
const WORDS_PER_SWITCH = 8 * 3 + 3 + 4 + 4 + 2 + 1 + 1 + 1 + 1;

/**
 * @param {string} path
 * @param {{ records: number, pcpus: number, spanNs?: number, vcpusOfPcpu?: number }} options `vcpusOfPcpu`: how many
 *   vCPUs take turns on each pCPU, of four domains.
 * @returns {{ records: number, bytes: number, windows: number }}
 */
export function generateTrace(path, { records, pcpus, spanNs = 20e9, vcpusOfPcpu = 4 }) {
  const sweeps = Math.round(spanNs / SWEEP_NS);
  const switchesPerWindow = Math.max(1, Math.round(records / sweeps / pcpus / RECORDS_PER_SWITCH));
  const window = new Uint32Array(3 + switchesPerWindow * WORDS_PER_SWITCH);
  const fd = openSync(path, 'w');
  let written = 0;
  for (let sweep = 0; written < records; sweep++) {
    for (let pcpu = 0; pcpu < pcpus && written < records; pcpu++) {
      const switches = Math.min(switchesPerWindow, Math.ceil((records - written) / RECORDS_PER_SWITCH));
      const vcpuAt = (ordinal) => {
        const nth = ordinal % vcpusOfPcpu;
        return { dom: 1 + (nth & 3), vcpu: pcpu + pcpus * (nth >> 2) };
      };
      const words = fillWindow(window, pcpu, vcpuAt, sweep, switches, switchesPerWindow);
      writeSync(fd, window, 0, words * 4);
      written += switches * RECORDS_PER_SWITCH;
    }
  }
  closeSync(fd);
  const windows = Math.ceil(written / RECORDS_PER_SWITCH / switchesPerWindow);
  return {
    records: written,
    bytes: windows * 12 + (written / RECORDS_PER_SWITCH) * WORDS_PER_SWITCH * 4,
    windows,
  };
}

/** Fills `out` with a window of `switches` context switches, `switchesPerWindow` a sweep. Returns its words. */
function fillWindow(out, pcpu, vcpuAt, sweep, switches, switchesPerWindow) {
  const firstSwitch = sweep * switchesPerWindow;
  const stepNs = SWEEP_NS / switchesPerWindow;
  out[0] = 0x2001f003;
  out[1] = pcpu;
  out[2] = switches * WORDS_PER_SWITCH * 4;
  let at = 3;
  const put = (event, tsc) => {
    out[at] = event;
    out[at + 1] = tsc >>> 0;
    out[at + 2] = Math.floor(tsc / 4294967296);
    at += 3;
  };
  let lastNs = -1;
  let seed = (pcpu * 7919 + sweep * 104_729 + 1) >>> 0;
  for (let i = 0; i < switches; i++) {
    // pCPUs are out of step by a pseudo-random part of the step, so that their records interleave.
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const ns = sweep * SWEEP_NS + Math.floor((i + seed / 2 ** 33) * stepNs);
    const tsc = TSC_START + Math.floor(ns * TICKS_PER_NS);
    // The vCPUs of a pCPU take turns; each is blocked until the one before it leaves.
    const { dom, vcpu } = vcpuAt(firstSwitch + i);
    const { dom: nextDom, vcpu: nextVcpu } = vcpuAt(firstSwitch + i + 1);
    const ranNs = lastNs < 0 ? Math.floor(stepNs) : ns - lastNs;
    lastNs = ns;
    put(WAKE, tsc);
    out[at++] = nextDom;
    out[at++] = nextVcpu;
    put(BLOCKED_TO_RUNNABLE, tsc + 90);
    out[at++] = (nextDom << 16) | nextVcpu;
    put(TICKLE, tsc + 150);
    out[at++] = pcpu;
    put(INFPREV, tsc + 700);
    out[at++] = dom;
    out[at++] = vcpu;
    out[at++] = ranNs;
    put(INFNEXT, tsc + 760);
    out[at++] = nextDom;
    out[at++] = nextVcpu;
    out[at++] = 300;
    out[at++] = 10_000_000;
    put(SWITCH, tsc + 820);
    out[at++] = dom;
    out[at++] = vcpu;
    out[at++] = nextDom;
    out[at++] = nextVcpu;
    put(RUNNING_TO_BLOCKED, tsc + 900);
    out[at++] = (dom << 16) | vcpu;
    put(RUNNABLE_TO_RUNNING, tsc + 960);
    out[at++] = (nextDom << 16) | nextVcpu;
  }
  return at;
}
