import type { Column } from './analysis.ts';

/** Columns that name what a row is about, the same in every result. */
export const DOM: Column = { name: 'dom', type: 'int', unit: 'dom', key: true, doc: 'Number of the domain.' };
export const VCPU: Column = {
  name: 'vcpu',
  type: 'int',
  unit: 'vcpu',
  key: true,
  doc: 'Number of the vCPU within its domain.',
};

/** How people see a column. */
type Shown = Pick<Column, 'heading' | 'text' | 'instant' | 'better'>;

/** A time, or a sum of time. */
export function nsColumn(name: string, doc: string, shown: Shown = {}): Column {
  return { name, type: 'int', unit: 'ns', doc, heading: words(name.replace(/_ns$/, '')), ...shown };
}

/** A number of times. */
export function countColumn(name: string, doc: string, shown: Shown = {}): Column {
  return { name, type: 'int', unit: 'count', doc, heading: words(name), ...shown };
}

/** A ratio, 0 to 1 unless the sentence says otherwise. */
export function ratioColumn(name: string, doc: string, shown: Shown = {}): Column {
  return { name, type: 'float', unit: 'ratio', doc, heading: words(name), ...shown };
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}
