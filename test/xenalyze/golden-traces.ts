import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';

const US = 2400;
const IDLE = 32767;

/** Small traces that a person can follow; golden/ has what xenalyze makes of them. Time is in units of 2.4 GHz. */
export const GOLDEN_TRACES: Readonly<Record<string, Uint8Array>> = {
  scheduling: scheduling(),
  hvm: hvm(),
  others: others(),
};

/** d0v0 and d1v0 on two pCPUs: a wait, a wake-up, a preemption, a move; pCPU 1 loses four records. */
function scheduling(): Uint8Array {
  return new TraceBuilder()
    .window(0)
    .runstate(10 * US, 0, 0, 'running', 'blocked')
    .runstate(10 * US + 100, IDLE, 0, 'runnable', 'running')
    .record(0x28004, 50 * US, [1, 0])
    .runstate(50 * US + 100, 1, 0, 'blocked', 'runnable')
    .record(0x22006, 50 * US + 200, [0])
    .record(0x2800e, 52 * US, [IDLE, 0, 42_000])
    .record(0x2800f, 52 * US + 50, [1, 0, 1_900, 30_000_000])
    .runstate(52 * US + 100, IDLE, 0, 'running', 'runnable')
    .runstate(52 * US + 200, 1, 0, 'runnable', 'running')
    .record(0x21002, 60 * US, [vcpuWord(1, 0)])
    .runstate(90 * US, 1, 0, 'running', 'runnable')
    .runstate(90 * US + 100, 0, 0, 'runnable', 'running')
    .window(1)
    .runstate(12 * US, 1, 0, 'running', 'blocked')
    .runstate(12 * US + 100, IDLE, 1, 'runnable', 'running')
    .runstate(80 * US, 0, 0, 'blocked', 'runnable')
    .record(0x22203, 81 * US, [vcpuWord(0, 0), 10_000_000, 0x80000000, 500])
    .wrap([1, 2, 3])
    .lost(100 * US, { count: 4, dom: 1, vcpu: 0, firstTsc: 92 * US })
    .runstate(110 * US, 1, 0, 'running', 'blocked')
    .runstate(110 * US + 100, IDLE, 1, 'runnable', 'running')
    .window(0)
    .runstate(120 * US, 0, 0, 'running', 'offline')
    .runstate(120 * US + 100, IDLE, 0, 'runnable', 'running')
    .bytes();
}

/** A guest with 64-bit registers leaves for Xen and comes back: port, page table, interrupt, hypercall, sleep. */
function hvm(): Uint8Array {
  const trace = new TraceBuilder().window(0).runstate(10 * US, 5, 0, 'runnable', 'running');
  let us = 20;
  const exit = (reason: number, rip: bigint) => trace.record(0x81102, us++ * US, [reason, ...u64(rip)]);
  const entry = () => trace.record(0x81001, us++ * US);
  exit(30, 0xffff_ffff_8100_1234n).untimed(0x82216, [0x3f8, 0x41]);
  entry();
  exit(28, 0xffff_ffff_8100_2000n).untimed(0x82109, [3, ...u64(0x1000_5000n)]);
  entry();
  exit(1, 0x40_1000n).untimed(0x8200f, [0xf9]).untimed(0x82004, [0x30, 0]);
  entry();
  exit(18, 0x40_1010n).untimed(0x82012, [29]);
  entry();
  exit(44, 0x40_1020n).untimed(0x82217, [0xfee000b0, 0]);
  entry();
  exit(12, 0x40_1030n).untimed(0x82013, [0]);
  return trace
    .runstate(us++ * US, 5, 0, 'running', 'blocked')
    .runstate(us++ * US, IDLE, 0, 'runnable', 'running')
    .runstate(us++ * US, 5, 0, 'blocked', 'runnable')
    .runstate(us++ * US, IDLE, 0, 'running', 'runnable')
    .runstate(us++ * US, 5, 0, 'runnable', 'running')
    .untimed(0x82004, [0x31, 0])
    .record(0x81001, us++ * US)
    .bytes();
}

/** Paravirtual guests, memory, hardware, domains. */
function others(): Uint8Array {
  return new TraceBuilder()
    .window(0)
    .runstate(10 * US, 0, 0, 'runnable', 'running')
    .record(0x20100d, 20 * US, [29 + 0x100000, 1])
    .record(0x20100d, 21 * US, [20 + 0x1600000, 5, ...u64(0x7f00_1234_5678n), 3])
    .record(0x20200e, 22 * US, [1 + 0x100000, 2])
    .record(0x201103, 23 * US, [...u64(0xffff_ffff_8100_0000n), 14 + 0x8000 + 0x20000])
    .record(0x201104, 24 * US, [...u64(0x40_1000n), ...u64(0x7fff_0000_0010n), 6])
    .record(0x10f001, 25 * US, [3])
    .untimed(0x10f004, [...u64(0x100), ...u64(0x12345), 2, 3])
    .record(0x802004, 26 * US, [0x31 + 0x400000, 1, 0, 0, 0, 0, 0])
    .record(0x802008, 27 * US, [16, 1000, 1700])
    .record(0x41001, 28 * US, [7])
    .runstate(30 * US, 0, 0, 'running', 'blocked')
    .runstate(30 * US + 100, IDLE, 0, 'runnable', 'running')
    .record(0x801002, 31 * US, [2, 100, 200, 300])
    .record(0x801003, 39 * US, [2, 200, 0x31, 0, 0, 0])
    .record(0x801001, 40 * US, [2400, 1200])
    .bytes();
}
