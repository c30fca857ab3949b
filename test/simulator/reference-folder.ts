import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The collection of reference results, if it lies beside the project. */
const whole = resolve(import.meta.dirname, '..', '..', '..', 'shared', 'reference', 'xen-c-schedulers');

/** The part of it that is in the tree. */
export const REFERENCE_PART = join(import.meta.dirname, 'reference');

/** Where to read reference results from: the whole collection if it is there, else the part. */
export const REFERENCE_ROOT = existsSync(join(whole, 'xen-head')) ? whole : REFERENCE_PART;

/** The names of the scenarios of a scheduler in `root`, in order. */
export function referenceScenarios(root: string, scheduler: string): string[] {
  const end = `__${scheduler}.json`;
  return readdirSync(join(root, 'scenarios'))
    .filter((file) => file.endsWith(end))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}
