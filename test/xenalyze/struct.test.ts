import asc from 'assemblyscript/asc';
import { expect, test } from 'vitest';
import { layoutOf, type StructFields, StructMemory, structOf } from '../../src/xenalyze/struct.ts';
import { STRUCT_CLASSES } from '../../src/xenalyze/wasm/compile.mjs';
import { STRUCTS } from '../../src/xenalyze/wasm/structs.mjs';
import {
  ORDER_BYTES,
  PCPU_BYTES,
  PIECE_BYTES,
  PV_RULE_BYTES,
  RECORDED,
  VCPU_BYTES,
} from '../../src/xenalyze/wasm/walk-layout.ts';

const STRIDES = {
  Pcpu: PCPU_BYTES,
  Vcpu: VCPU_BYTES,
  OrderNode: ORDER_BYTES,
  LinePiece: PIECE_BYTES,
  PvRule: PV_RULE_BYTES,
  HvmVcpu: RECORDED,
};

test("AssemblyScript's compiler has each field of a struct where we have it", async () => {
  const expected: Record<string, number> = {};
  const functions: string[] = [];
  for (const [struct, fields] of Object.entries(STRUCTS)) {
    const { offsets } = layoutOf<StructFields>(fields);
    for (const [field, offset] of Object.entries(offsets)) {
      expected[`${struct}_${field}`] = offset;
      functions.push(`export function ${struct}_${field}(): i32 { return offsetof<${struct}>('${field}'); }`);
    }
  }
  let program = new Uint8Array();
  const { error } = await asc.main(['main.ts', '--outFile', 'main.wasm', '--runtime', 'stub'], {
    readFile: (name) => (name === 'main.ts' ? [STRUCT_CLASSES, ...functions].join('\n') : null),
    writeFile: (_, content) => {
      program = Uint8Array.from(content as Uint8Array);
    },
  });
  expect(error).toBeNull();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), {});
  const found = Object.entries(exports as Record<string, () => number>)
    .filter(([name]) => name in expected)
    .map(([name, offset]) => [name, offset()]);
  expect(Object.fromEntries(found)).toEqual(expected);
});

test.each(Object.entries(STRIDES))('no %s reaches into the next one', (struct, stride) => {
  expect(layoutOf(STRUCTS[struct as keyof typeof STRIDES]).bytes).toBeLessThanOrEqual(stride);
});

test('what each turn needs of a pCPU is in its first 64 bytes', () => {
  expect(layoutOf(STRUCTS.Pcpu).offsets.tsc).toBe(64);
});

test('fields of each type are what was assigned to them, as a foreign reader finds them', () => {
  class All extends structOf({
    bool: 'bool',
    u8: 'u8',
    u16: 'u16',
    i32: 'i32',
    u32: 'u32',
    f64: 'f64',
    i64: 'i64',
    u64: 'u64',
    Pcpu: 'Pcpu',
  } as const) {}
  const values = {
    bool: true,
    u8: 255,
    u16: 65_534,
    i32: -3,
    u32: 2 ** 32 - 4,
    f64: -0.5,
    i64: -6n,
    u64: 2n ** 64n - 7n,
    Pcpu: 40_960,
  };
  const buffer = new ArrayBuffer(128);
  const all = Object.assign(new All(new StructMemory(buffer), 64), values);
  for (const [name, value] of Object.entries(values)) expect(all[name as keyof typeof values]).toBe(value);
  const bytes = Buffer.from(buffer, 64);
  expect([bytes.readUInt8(0), bytes.readUInt8(1), bytes.readUInt16LE(2)]).toEqual([1, 255, 65_534]);
  expect([bytes.readInt32LE(4), bytes.readUInt32LE(8), bytes.readDoubleLE(16)]).toEqual([
    -3,
    2 ** 32 - 4,
    -0.5,
  ]);
  expect([bytes.readBigInt64LE(24), bytes.readBigUInt64LE(32)]).toEqual([-6n, 2n ** 64n - 7n]);
  expect(bytes.readUInt32LE(40)).toBe(40_960);
});
