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

/** A memory in which structs lie. */
export class StructMemory {
  readonly buffer: ArrayBuffer;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.ints = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}

/** What a struct's fields are read from. */
class Struct {
  // Declared only: V8 takes long to define fields that it is to assign next.
  /** Another struct of the same kind may follow, at another one. */
  declare address: number;
  declare readonly ints: Int32Array;
  declare readonly doubles: Float64Array;
  declare readonly bytes: Uint8Array;
  declare readonly view: DataView;

  constructor({ ints, doubles, bytes, view }: StructMemory, address: number) {
    this.address = address;
    this.ints = ints;
    this.doubles = doubles;
    this.bytes = bytes;
    this.view = view;
  }
}

/** A class of structs; its fields are accessors. */
export function structOf<F extends StructFields>(
  fields: F,
): new (
  memory: StructMemory,
  address: number,
) => { address: number } & ValuesOf<F> {
  const { offsets } = layoutOf(fields);
  class Fields extends Struct {}
  for (const name in fields)
    Object.defineProperty(Fields.prototype, name, accessors(fields[name], offsets[name]));
  return Fields as unknown as ReturnType<typeof structOf<F>>;
}

function accessors(type: FieldType, offset: number): ThisType<Struct> & PropertyDescriptor {
  const index = offset / BYTES[type];
  if (type === 'f64')
    return {
      get() {
        return this.doubles[(this.address >>> 3) + index];
      },
      set(value: number) {
        this.doubles[(this.address >>> 3) + index] = value;
      },
    };
  if (type === 'bool')
    return {
      get() {
        return this.bytes[this.address + index] !== 0;
      },
      set(value: boolean) {
        this.bytes[this.address + index] = Number(value);
      },
    };
  if (type === 'u8')
    return {
      get() {
        return this.bytes[this.address + index];
      },
      set(value: number) {
        this.bytes[this.address + index] = value;
      },
    };
  if (type === 'u32')
    return {
      get() {
        return this.ints[(this.address >>> 2) + index] >>> 0;
      },
      set(value: number) {
        this.ints[(this.address >>> 2) + index] = value;
      },
    };
  if (type in RARE) {
    const [get, set] = RARE[type as keyof typeof RARE];
    return {
      get() {
        return this.view[get](this.address + offset, true);
      },
      set(value: never) {
        this.view[set](this.address + offset, value, true);
      },
    };
  }
  return {
    get() {
      return this.ints[(this.address >>> 2) + index];
    },
    set(value: number) {
      this.ints[(this.address >>> 2) + index] = value;
    },
  };
}

/** How fields are accessed of which no value is read for each record. */
const RARE = {
  i64: ['getBigInt64', 'setBigInt64'],
  u64: ['getBigUint64', 'setBigUint64'],
  u16: ['getUint16', 'setUint16'],
} as const;
