/**
 * How long `xenscope report` takes for a large trace, how large its page is, and how long the page takes to open and to
 * draw: `npm run build && node test/bench/report-page.mjs [records]`. Needs Chromium for the last two.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runnerImport } from 'vite';
import { countArgument } from './count-argument.mjs';
import { generateTrace } from './generate-trace.mjs';

const root = resolve(import.meta.dirname, '../..');
const records = countArgument(process.argv[2], 10e6);
const RUNS = 3;
const folder = mkdtempSync(join(tmpdir(), 'xenscope-bench-'));
const { module } = await runnerImport(join(root, 'test/page/chromium.ts'));
const chromium = module.findChromium();

try {
  for (const pcpus of [4, 250]) {
    const trace = join(folder, `${pcpus}.trace`);
    const page = join(folder, `${pcpus}.html`);
    generateTrace(trace, { records, pcpus });
    const analyze = best(() => run('analyze', trace));
    const report = best(() => run('report', trace, '-o', page));
    console.log(`${records} records on ${pcpus} pCPUs`);
    console.log(`  analyze ${analyze.toFixed(2)} s, report ${report.toFixed(2)} s`);
    console.log(`  page ${(statSync(page).size / 1e6).toFixed(2)} MB`);
    if (chromium !== undefined) console.log(`  ${await look(page)}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function run(...words) {
  const start = performance.now();
  execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
    maxBuffer: 1 << 28,
  });
  return (performance.now() - start) / 1000;
}

function best(measure) {
  return Math.min(...Array.from({ length: RUNS }, measure));
}

/** Opens the page, and zooms through it. */
async function look(page) {
  const opened = [];
  let told = '';
  for (let times = 0; times < RUNS; times++) {
    const browser = await module.Chromium.launch(chromium);
    await browser.open(page, "performance.getEntriesByName('shown').length > 0");
    opened.push(await browser.evaluate("performance.getEntriesByName('shown')[0].startTime"));
    const { frameMs, heap } = await browser.evaluate(`(async () => {
      const zoomIn = document.querySelector('button[aria-label="zoom in"]');
      const frame = () => new Promise(requestAnimationFrame);
      const start = performance.now();
      for (let zoom = 0; zoom < 30; zoom++) {
        zoomIn.click();
        await frame();
      }
      return { frameMs: (performance.now() - start) / 30, heap: performance.memory.usedJSHeapSize };
    })()`);
    told = `a step of zooming ${frameMs.toFixed(0)} ms, heap ${(heap / 1e6).toFixed(0)} MB`;
    await browser.close();
  }
  return `opened and drawn in ${(Math.min(...opened) / 1000).toFixed(2)} s, ${told}`;
}
