import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { scratchFolder } from '../cli/run-cli.ts';
import { recordSample } from './export-bytes.ts';

const SAMPLES = resolve(import.meta.dirname, '../../samples');
/** The trace of a real host that is in the repository. */
export const SAMPLE_TRACE = join(SAMPLES, 'traces/credit-caps.trace');
const RECORDED = [
  'deadlines',
  'real-time',
  'caps',
  'cpupools',
  'guest-tasks',
  'affinity-and-threads',
  'busy-host',
];
const RECORDED_NS = 300_000_000;
const REAL_FOLDER = resolve(import.meta.dirname, '../../../shared/traces');
/** Each has something that the others have not. */
const REAL = [
  'arinc653-frame40.trace',
  'credit-1p-clean-caps.trace',
  'credit-cpupool.trace',
  'credit-lost-S1-all.trace',
  'credit-weights-cpu1.trace',
  'credit2-caps.trace',
  'credit2-core-mix-all.trace',
  'credit2-lost-S1-all.trace',
  'credit2-lost-stale.trace',
  'credit2-pvonly.trace',
  'null-fit.trace',
  'rtds-params-all.trace.gz',
];

/**
 * Paths of traces that a suite exports, by their names: that of samples/, real ones where there are any, and those that
 * scenarios of samples/ leave, which are recorded before the suite's first test.
 */
export function exportedTraces(): [name: string, path: string][] {
  const scratch = scratchFolder();
  const recorded = RECORDED.map((name): [string, string] => [name, scratch.path(`${name}.trace`)]);
  beforeAll(() => {
    for (const [name, path] of recorded) recordSample(join(SAMPLES, `${name}.yaml`), path, RECORDED_NS);
  });
  afterAll(() => scratch.remove());
  const real = REAL.map((file): [string, string] => [file, join(REAL_FOLDER, file)]);
  return [['sample', SAMPLE_TRACE], ...real.filter(([, path]) => existsSync(path)), ...recorded];
}
