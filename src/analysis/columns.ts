import type { Column } from './analysis.ts';

/** Columns that name what a row is about, the same in every result. */
export const DOM: Column = { name: 'dom', type: 'int', unit: 'dom', doc: 'Number of the domain.' };
export const VCPU: Column = {
  name: 'vcpu',
  type: 'int',
  unit: 'vcpu',
  doc: 'Number of the vCPU within its domain.',
};

/** A sum of time. */
export function nsColumn(name: string, doc: string): Column {
  return { name, type: 'int', unit: 'ns', doc };
}

/** A number of times. */
export function countColumn(name: string, doc: string): Column {
  return { name, type: 'int', unit: 'count', doc };
}

/** A ratio, 0 to 1 unless the sentence says otherwise. */
export function ratioColumn(name: string, doc: string): Column {
  return { name, type: 'float', unit: 'ratio', doc };
}
