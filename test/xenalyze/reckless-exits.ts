import { Prng } from '../../src/base/prng.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { Draws } from './random-words.ts';

const VMENTRY = 0x81001;
const VMEXIT = 0x81002;
const HANDLER = 0x82000;
const BIT_64 = 0x100;
const WRITE = 0x200;

const VMX_REASONS = [
  0, 1, 1, 1, 2, 7, 10, 12, 12, 16, 18, 28, 28, 30, 30, 31, 32, 35, 40, 43, 44, 48, 48, 54, 55,
];
const SVM_REASONS = [16, 19, 64, 78, 96, 96, 100, 110, 119, 120, 123, 124, 129, 150, 1024, 1024];
const INVALID_REASONS = [57, 58, 1025, 1026, 2047, 2048, 0xffffffff];
const RIPS = [0xffffffff_81000000n, 0x400000n];
const INVALID_RIPS = [0x8000_00000000n, 0x12345_00000000n, 0xffff0000_81000000n];
const PAGES = [
  0xfee00300n,
  0xfee000b0n,
  0xfee00020n,
  0xa0000n,
  0xbfffen,
  0xbffffn,
  0xfeb00004n,
  0x1_fee00300n,
];
const CR3S = [0n, 0x1000n, 0x1000n, 0x2000n, 0x123_45678000n, 0x80000000_00001000n];

export interface Recklessness {
  /** Whether exits have the reasons of AMD processors. */
  readonly svm: boolean;
  /** Of records: another number of words than they should have. */
  readonly wrongWords: number;
  /** Of exits: a reason that there is none, which xenalyze counts where other things lie. */
  readonly wrongReasons: number;
}

/**
 * A trace of two HVM guests that halt, wake and interrupt each other, on two pCPUs. Any handlers say something about any
 * exit, in any order, more than one of them or none; exits do not end, or end without having begun.
 */
export function recklessExits(seed: number, { svm, wrongWords, wrongReasons }: Recklessness): Uint8Array {
  const draws = new Draws(Prng.fromSeed(seed).fork('exits'));
  const trace = new TraceBuilder();
  const states = new Map<number, number>([0x10000, 0x10001, 0x20000].map((vcpu) => [vcpu, 2]));
  const start = draws.pick([1_000n, 123_456_789_012n, 2n ** 53n + 5n, 2n ** 62n + 7n]);
  let tsc = start;
  let pcpu = 0;
  const later = () => {
    tsc += BigInt(draws.pick([1, 10, 200, 3_000, 20_000, 500_000]));
    return tsc;
  };
  const change = (vcpu: number, from: number, to: number) =>
    trace.record(0x21001 + from * 0x100 + to * 0x10, later(), [vcpu]);
  const current: (number | undefined)[] = [undefined, undefined];

  const schedule = () => {
    const idle = vcpuWord(32767, pcpu);
    const vcpu = current[pcpu];
    if (vcpu !== undefined) {
      const state = draws.pick([2, 2, 2, 1, 3]);
      change(vcpu, 0, state);
      states.set(vcpu, state);
      current[pcpu] = undefined;
      change(idle, 1, 0);
      return;
    }
    const runnable = [...states].filter(([, state]) => state === 1);
    if (runnable.length === 0) return;
    const [next] = draws.pick(runnable);
    change(idle, 0, 1);
    change(next, 1, 0);
    states.set(next, 0);
    current[pcpu] = next;
  };

  const wake = () => {
    const [vcpu, state] = draws.pick([...states]);
    if (state < 2) return;
    change(vcpu, state, 1);
    states.set(vcpu, 1);
  };

  const exit = (vcpu: number) => {
    if (draws.chance(0.9)) {
      const is64 = draws.chance(vcpu % 2 === 0 ? 0.9 : 0.3);
      const rip = draws.pick(draws.chance(0.02) ? INVALID_RIPS : RIPS) + BigInt(draws.below(16));
      const reasons = svm ? SVM_REASONS : VMX_REASONS;
      const words = [
        draws.pick(draws.chance(wrongReasons) ? INVALID_REASONS : reasons),
        ...u64(rip).slice(0, is64 ? 2 : 1),
      ];
      trace.record(VMEXIT + (is64 ? BIT_64 : 0), later(), words);
    }
    for (let count = draws.below(4); count > 0; count--) {
      const [event, words] = handlerRecord(draws);
      const wrong = draws.chance(wrongWords);
      const given = wrong ? Array.from({ length: draws.below(8) }, () => draws.below(400)) : words;
      trace.untimed(HANDLER + event, given);
    }
    if (draws.chance(0.9)) trace.record(VMENTRY, later());
  };

  for (pcpu = 0; pcpu < 2; pcpu++) {
    trace.window(pcpu);
    change(vcpuWord(32767, pcpu), 1, 0);
  }
  for (let round = 0; round < 150; round++) {
    pcpu = draws.below(2);
    trace.window(pcpu);
    for (let i = 0; i < 8; i++) {
      const vcpu = current[pcpu];
      const what = draws.below(10);
      if (what === 0) schedule();
      else if (what === 1 || vcpu === undefined) wake();
      else exit(vcpu);
    }
  }
  return trace.bytes();
}

/** Event, less the base of its class, and words. */
function handlerRecord(draws: Draws): [event: number, words: number[]] {
  const any = () => draws.below(2 ** 32);
  const vector = () => draws.pick([0, 0x30, 0x30, 0xef, 0xef, 0xfb, 349, 350, 400]);
  const page = () => u64(draws.pick(PAGES));
  const command = () =>
    draws.pick([0xfb, 0xfc]) + draws.pick([0, 1, 2, 3, 3, 3]) * 2 ** 18 + draws.pick([0, 0x1000]);
  const cr = () => draws.pick([0, 3, 3, 3, 3, 4, 8]);
  const cr3 = () => u64(draws.pick(CR3S));
  const port = () => draws.pick([0x3f8, 0x64, 0x80000064]);
  const write = draws.pick([0, WRITE]);
  return draws.pick<() => [number, number[]]>([
    () => [0x002, [2, any()]],
    () => [0x102, [2, any(), any()]],
    () => [0x003, [draws.below(24), any()]],
    () => [0x004, [vector(), draws.pick([0, 0, 1])]],
    () => [0x004, [vector(), 0]],
    () => [0x005, [vector()]],
    () => [0x006, [port(), any()]],
    () => [0x008, [cr(), any()]],
    () => [0x009, [cr(), Number(draws.pick(CR3S) & 0xffffffffn)]],
    () => [0x109, [cr(), ...cr3()]],
    () => [0x109, [3, ...cr3()]],
    () => [0x00b, []],
    () => [0x00c, [any(), any(), any()]],
    () => [0x00d, [any(), any(), any()]],
    () => [0x00e, [any(), any(), any(), any(), any(), any()]],
    () => [0x00f, [draws.pick([0, 0x31, 0x31, 0xf9, 0xfb, 255, 256, 1000])]],
    () => [0x012, [draws.below(45)]],
    () => [0x013, [draws.below(2)]],
    () => [0x114, [any(), any(), any()]],
    () => [0x016 + write, [port(), any()]],
    () => [0x116 + write, [port(), 0, any(), 0]],
    () => [0x017 + write, [page()[0], command()]],
    () => [0x017 + write, [page()[0]]],
    () => [0x117 + write, [...page(), command(), 0]],
    () => [0x117 + write, page()],
    () => [0x217, [0xfee00300, command()]],
    () => [0x01a, [draws.below(3), draws.below(3)]],
    () => [0x01b, [any()]],
    () => [0x020, [vector(), draws.below(8), draws.pick([0xffffffff, 0, 0x30])]],
    () => [0x021, [...page(), any(), 0, any(), draws.below(5)]],
    () => [0x025, []],
    () => [0x100, []],
    () => [0x127, [any(), any(), any()]],
  ])();
}
