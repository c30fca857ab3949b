import { Prng } from '../../src/base/prng.ts';
import { Draws } from './random-words.ts';

/** The trace with one to three kinds of damage done to it. The same for the same seed. */
export function damaged(trace: Uint8Array, seed: number): Uint8Array {
  const draws = new Draws(Prng.fromSeed(seed).fork('damage'));
  let bytes: Uint8Array = trace.slice();
  for (let times = 1 + draws.below(3); times > 0 && bytes.length > 64; times--)
    bytes = draws.pick(KINDS)(bytes, draws);
  return bytes;
}

type Damage = (bytes: Uint8Array, draws: Draws) => Uint8Array;

const flipBits: Damage = (bytes, draws) => {
  for (let flips = 1 + draws.below(8); flips > 0; flips--)
    bytes[draws.below(bytes.length)] ^= 1 << draws.below(8);
  return bytes;
};

const truncate: Damage = (bytes, draws) => bytes.slice(0, draws.below(bytes.length));

const cutOut: Damage = (bytes, draws) => {
  const from = draws.below(bytes.length);
  const length = draws.chance(0.5) ? 4 * draws.below(20) : draws.below(200);
  return joined([bytes.subarray(0, from & ~3), bytes.subarray((from & ~3) + length)]);
};

const putIn: Damage = (bytes, draws) => {
  const at = draws.below(bytes.length) & ~3;
  const garbage = Uint8Array.from({ length: draws.pick([4, 8, 64, 13]) }, () => draws.below(256));
  return joined([bytes.subarray(0, at), garbage, bytes.subarray(at)]);
};

const zero: Damage = (bytes, draws) => {
  const from = draws.below(bytes.length) & ~3;
  return bytes.fill(0, from, from + 4 * draws.below(50));
};

/** A window says that it has another size, or is of another pCPU. */
const windowLies: Damage = (bytes, draws) => {
  const { at, length } = draws.pick(windowsOf(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizes = [0, 4, length - 4, length + 4, length + 400, 0x7fffffff, 0xfffffff0, draws.u32()];
  if (draws.chance(0.7)) view.setUint32(at + 8, draws.pick(sizes), true);
  else view.setUint32(at + 4, draws.pick([0, 1, 5, 63, 255, 300]), true);
  return bytes;
};

const windowTwice: Damage = (bytes, draws) => {
  const windows = windowsOf(bytes);
  const { at, length } = draws.pick(windows);
  const to = draws.pick(windows).at;
  return joined([bytes.subarray(0, to), bytes.subarray(at, at + 12 + length), bytes.subarray(to)]);
};

const windowMissing: Damage = (bytes, draws) => {
  const { at, length } = draws.pick(windowsOf(bytes));
  return joined([bytes.subarray(0, at), bytes.subarray(at + 12 + length)]);
};

const windowEmpty: Damage = (bytes, draws) => {
  const { at } = draws.pick(windowsOf(bytes));
  const pcpu = draws.below(6);
  return joined([
    bytes.subarray(0, at),
    new Uint8Array(new Uint32Array([0x2001f003, pcpu, 0]).buffer),
    bytes.subarray(at),
  ]);
};

const KINDS: readonly Damage[] = [
  flipBits,
  truncate,
  cutOut,
  putIn,
  zero,
  windowLies,
  windowTwice,
  windowMissing,
  windowEmpty,
];

/** The windows from the start on, as far as their headers lead; at least the place of the first. */
function windowsOf(bytes: Uint8Array): { at: number; length: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const windows = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    if (windows.length > 0 && view.getUint32(at, true) !== 0x2001f003) break;
    const length = view.getUint32(at + 8, true);
    windows.push({ at, length });
    at += 12 + length;
  }
  return windows;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
