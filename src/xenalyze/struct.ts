/** Structs that WebAssembly shares with us, as wasm/structs.mjs has them: classes whose fields lie in its memory. */
export type StructFields = Readonly<Record<string, FieldType>>;
type FieldType = 'f64' | 'i64' | 'u64' | 'i32' | 'u32' | 'bool' | 'Pcpu' | 'Vcpu';

/** Integers of 64 bits are bigints; structs are given as their addresses, or 0. */
type ValuesOf<F extends StructFields> = {
  -readonly [K in keyof F]: F[K] extends 'bool' ? boolean : F[K] extends 'i64' | 'u64' ? bigint : number;
};

const BYTES: Readonly<Record<FieldType, number>> = {
  f64: 8,
  i64: 8,
  u64: 8,
  i32: 4,
  u32: 4,
  bool: 1,
  Pcpu: 4,
  Vcpu: 4,
};

/** Where each field of a struct lies, in bytes behind its beginning; and how long it is, in multiples of 8 bytes. */
export function layoutOf<F extends StructFields>(
  fields: F,
): { offsets: Record<keyof F, number>; bytes: number } {
  let bytes = 0;
  const offsets = {} as Record<keyof F, number>;
  for (const name in fields) {
    const size = BYTES[fields[name]];
    offsets[name] = Math.ceil(bytes / size) * size;
    bytes = offsets[name] + size;
  }
  return { offsets, bytes: Math.ceil(bytes / 8) * 8 };
}

/** What a struct's fields are read from. */
class Struct {
  readonly address: number;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
  readonly flags: Uint8Array;

  constructor(buffer: ArrayBuffer, address: number, bytes: number) {
    this.address = address;
    this.ints = new Int32Array(buffer, address, bytes / 4);
    this.doubles = new Float64Array(buffer, address, bytes / 8);
    this.flags = new Uint8Array(buffer, address, bytes);
  }
}

/** A class of structs; its fields are accessors. */
export function structOf<F extends StructFields>(
  fields: F,
): new (
  buffer: ArrayBuffer,
  address: number,
) => { readonly address: number } & ValuesOf<F> {
  const { offsets, bytes } = layoutOf(fields);
  class Fields extends Struct {
    constructor(buffer: ArrayBuffer, address: number) {
      super(buffer, address, bytes);
    }
  }
  for (const name in fields)
    Object.defineProperty(Fields.prototype, name, accessors(fields[name], offsets[name]));
  return Fields as unknown as ReturnType<typeof structOf<F>>;
}

function accessors(type: FieldType, offset: number): ThisType<Struct> & PropertyDescriptor {
  const index = offset / BYTES[type];
  if (type === 'f64')
    return {
      get() {
        return this.doubles[index];
      },
      set(value: number) {
        this.doubles[index] = value;
      },
    };
  if (type === 'bool')
    return {
      get() {
        return this.flags[index] !== 0;
      },
      set(value: boolean) {
        this.flags[index] = Number(value);
      },
    };
  if (type === 'i64' || type === 'u64')
    return {
      get() {
        const high = BigInt(type === 'i64' ? this.ints[index * 2 + 1] : this.ints[index * 2 + 1] >>> 0);
        return (high << 32n) | BigInt(this.ints[index * 2] >>> 0);
      },
      set(value: bigint) {
        this.ints[index * 2] = Number(BigInt.asIntN(32, value));
        this.ints[index * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
      },
    };
  return {
    get() {
      return this.ints[index];
    },
    set(value: number) {
      this.ints[index] = value;
    },
  };
}
