import { formatNanoseconds } from '../base/nanoseconds.ts';
import type { Progress } from './output.ts';

const CELLS = 30;

/**
 * A bar for work in countable steps, on standard error and only on a terminal: `[#####.....] 12/60 runs, 5 s
 * left`.
 */
export function createProgressBar(unit: string): Progress {
  if (!process.stderr.isTTY) return { update() {}, done() {} };
  const startMs = performance.now();
  let first: number | undefined;
  let width = 0;
  const show = (text: string) => {
    process.stderr.write(`\r${text.padEnd(width)}`);
    width = text.length;
  };
  return {
    update(done, total) {
      first ??= done;
      const cells = total > 0 ? Math.floor((done * CELLS) / total) : 0;
      const perStepMs = (performance.now() - startMs) / (done - first);
      const leftNs = Math.round(perStepMs * (total - done)) * 1e6;
      const left = done > first && done < total ? `, ${formatNanoseconds(leftNs, 2)} left` : '';
      show(`[${'#'.repeat(cells).padEnd(CELLS, '.')}] ${done}/${total} ${unit}${left}`);
    },
    done() {
      if (width > 0) process.stderr.write(`\r${' '.repeat(width)}\r`);
    },
  };
}
