import type { Progress } from './output.ts';
import { ProgressLine } from './progress-line.ts';

const CELLS = 30;

/**
 * A bar for work in countable steps, on standard error and only on a terminal: `[#####.....] 12/60 runs, 5 s
 * left`.
 */
export function createProgressBar(unit: string): Progress {
  if (!process.stderr.isTTY) return { update() {}, done() {} };
  const line = new ProgressLine();
  return {
    update(done, total) {
      const cells = total > 0 ? Math.floor((done * CELLS) / total) : 0;
      const bar = `[${'#'.repeat(cells).padEnd(CELLS, '.')}] ${done}/${total} ${unit}`;
      line.update(done, total, (left) => (left === '' ? bar : `${bar}, ${left}`));
    },
    done: () => line.wipe(),
  };
}
