/** Structs that WebAssembly shares with us, as wasm/structs.mjs has them: classes whose fields lie in its memory. */
export type StructFields = Readonly<Record<string, FieldType>>;
type FieldType = 'f64' | 'i64' | 'u64' | 'i32' | 'u32' | 'u16' | 'u8' | 'bool' | 'Pcpu' | 'Vcpu';

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
  u16: 2,
  u8: 1,
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
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBuffer, address: number, length: number) {
    this.address = address;
    this.ints = new Int32Array(buffer, address, length / 4);
    this.doubles = new Float64Array(buffer, address, length / 8);
    this.bytes = new Uint8Array(buffer, address, length);
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
        return this.bytes[index] !== 0;
      },
      set(value: boolean) {
        this.bytes[index] = Number(value);
      },
    };
  if (type in RARE) {
    const [get, set] = RARE[type as keyof typeof RARE];
    return {
      get() {
        return new DataView(this.bytes.buffer, this.address)[get](offset, true);
      },
      set(value: never) {
        new DataView(this.bytes.buffer, this.address)[set](offset, value, true);
      },
    };
  }
  return {
    get() {
      return this.ints[index];
    },
    set(value: number) {
      this.ints[index] = value;
    },
  };
}

/** How fields are accessed of which no value is read for each record. */
const RARE = {
  i64: ['getBigInt64', 'setBigInt64'],
  u64: ['getBigUint64', 'setBigUint64'],
  u32: ['getUint32', 'setUint32'],
  u16: ['getUint16', 'setUint16'],
  u8: ['getUint8', 'setUint8'],
} as const;
