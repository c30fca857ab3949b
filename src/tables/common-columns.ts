import type { ColumnSpec } from './table-spec.ts';

export const T_NS: ColumnSpec = {
  name: 't_ns',
  type: 'int64',
  unit: 'ns',
  nullable: true,
  doc: 'When: since the start of the trace. Null where the record carries no time; its row is in its place.',
};
export const TSC: ColumnSpec = {
  name: 'tsc',
  type: 'uint64',
  unit: 'tsc',
  nullable: true,
  doc: 'The time stamp counter in the record, exact to 64 bits. Null where the record carries no time.',
};
export const PCPU: ColumnSpec = {
  name: 'pcpu',
  type: 'uint16',
  unit: 'pcpu',
  nullable: false,
  doc: 'The physical CPU that recorded it.',
};
/** A time or a duration. */
export function ns(name: string, doc: string, nullable = false): ColumnSpec {
  return { name, type: 'int64', unit: 'ns', nullable, doc };
}

/** A pCPU that may not be known. */
export function pcpu(name: string, doc: string): ColumnSpec {
  return { name, type: 'uint16', unit: 'pcpu', nullable: true, doc };
}
