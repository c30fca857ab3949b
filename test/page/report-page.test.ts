/**
 * The page in a real browser, with the network off. Skipped where there is none: `apt-get install chromium` gives it, or
 * CHROMIUM names one.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatNs } from '../../src/report/index.ts';
import { runCli, runShell, scratchFolder } from '../cli/run-cli.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { readTimeline } from '../timeline/read-timeline.ts';
import { Chromium, findChromium } from './chromium.ts';

const root = join(import.meta.dirname, '../..');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const chromium = findChromium();
if (chromium === undefined) console.warn('no Chromium is installed: the page is not tested in a browser');

const READY = "document.querySelector('.timeline canvas')?.width > 300";
const SHOWN_ONCE = "performance.getEntriesByName('shown').length > 0";
const SHOWN = "document.querySelector('.range').textContent";
const DETAILS = "document.querySelector('.details').textContent";

interface Wait {
  readonly dom: number;
  readonly vcpu: number;
  readonly wait_ns: number;
  readonly start_ns: number;
}

interface Analysis {
  readonly worst_waits: readonly Wait[];
}

function record(sample: string, name: string, ...words: string[]): string {
  const path = scratch.path(name);
  const scenario = join(root, 'samples', `${sample}.yaml`);
  expect(runCli(['record', scenario, '-o', path, ...words]).status).toBe(0);
  return path;
}

function report(name: string, ...words: string[]): string {
  const path = scratch.path(name);
  const { status, stderr } = runCli(['report', ...words, '-o', path]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return path;
}

describe('xenscope report', () => {
  test('writes one file that refers to no other', () => {
    const path = report('plain.html', record('deadlines', 'plain.trace'));
    const html = readFileSync(path, 'utf8');
    expect(html.length).toBeLessThan(1_000_000);
    // Links within the page, and the licence in a comment, are no references.
    expect(html.replaceAll(/\/\*[\s\S]*?\*\//g, '')).not.toMatch(/(src|href)\s*=\s*["'](?!#|data:)/);
    expect(html).not.toMatch(/url\(\s*["']?(?!data:|#)/);
  });

  test('says what is wrong in one sentence', () => {
    const trace = record('deadlines', 'wrong.trace');
    expect(runCli(['report', trace])).toMatchObject({ status: 2, stdout: '' });
    const unwritable = runCli(['report', trace, '-o', scratch.path('no/such/folder.html')]);
    expect(unwritable.status).toBe(2);
    expect(unwritable.stderr).toMatch(
      /^xenscope: .*folder\.html.*: cannot be written: its folder does not exist\n$/,
    );
    expect(runCli(['report', '-', '-', '-o', '-']).status).toBe(2);
  });

  test('leaves the page before it as it was where there is no room for the new one', () => {
    const trace = record('deadlines', 'no-room.trace');
    const path = scratch.path('no-room.html');
    writeFileSync(path, 'the page before');
    const { status, stderr } = runShell(`ulimit -f 100; xenscope report ${trace} -o ${path}`);
    expect(stderr).toMatch(/^xenscope: .*no-room\.html.*: cannot be written: it would be larger.*\n$/);
    expect(status).toBe(2);
    expect(readFileSync(path, 'utf8')).toBe('the page before');
    expect(readdirSync(scratch.path('.')).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test.skipIf(!existsSync('/dev/full'))('writes to a device, a pipe and through a link, which stay', () => {
    const trace = record('deadlines', 'in-place.trace');
    const full = runCli(['report', trace, '-o', '/dev/full']);
    expect(full.stderr).toMatch(/^xenscope: \/dev\/full: cannot be written: no space left on the disk\n$/);
    const [target, link] = [scratch.path('target.html'), scratch.path('link.html')];
    writeFileSync(target, 'the page before');
    symlinkSync(target, link);
    report('link.html', trace);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toMatch(/^<!doctype html>/);
    const piped = runShell(`xenscope report ${trace} -o /dev/stdout | head -c 15`);
    expect(piped).toMatchObject({ stdout: '<!doctype html>' });
  });

  test('reports what can be read of a damaged trace, and ends with 1', () => {
    const trace = record('deadlines', 'damaged.trace');
    writeFileSync(trace, readFileSync(trace).subarray(0, -1001));
    const { status, stderr } = runCli(['report', trace, '-o', scratch.path('damaged.html')]);
    expect(status).toBe(1);
    expect(stderr).not.toBe('');
    expect(readFileSync(scratch.path('damaged.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });
});

describe.skipIf(chromium === undefined)('the page in Chromium', () => {
  let browser: Chromium;
  let trace: string;
  let page: string;
  let analysis: Analysis;

  beforeAll(async () => {
    trace = record('busy-host', 'busy-host.trace');
    const scenario = join(root, 'samples/busy-host.yaml');
    page = report('page.html', trace, '--scenario', scenario, '--title', 'busy </script><b>host</b>');
    analysis = JSON.parse(runCli(['analyze', trace, '--scenario', scenario, '--format', 'json']).stdout);
    browser = await Chromium.launch(chromium!);
    await browser.open(page, READY);
  });

  afterAll(async () => {
    await browser?.close();
  });

  /** Where a lane is on the screen, in the middle of its height. */
  async function laneAt(label: string): Promise<{ left: number; right: number; y: number }> {
    return browser.evaluate(`(() => {
      document.querySelector('.lanes').scrollIntoView({ block: 'center' });
      const box = document.querySelector('.timeline canvas').getBoundingClientRect();
      const labels = ['pCPU 0', 'pCPU 1', 'd1v0', 'd1v1', 'd2v0', 'd2v1', 'd3v0', 'd4v0'];
      return { left: box.left + 96, right: box.right, y: box.top + 26 + labels.indexOf('${label}') * 20 + 8 };
    })()`);
  }

  async function search(text: string): Promise<void> {
    await browser.evaluate(`(() => {
      const input = document.querySelector('input[type=search]');
      input.value = ${JSON.stringify(text)};
      input.form.requestSubmit();
    })()`);
  }

  async function press(label: string): Promise<void> {
    await browser.evaluate(`document.querySelector('button[aria-label="${label}"]').click()`);
  }

  const shownNs = async (): Promise<number> => {
    const [, length, unit] = /\(([\d.]+) (ns|us|ms|s)\)$/.exec(await browser.evaluate<string>(SHOWN)) ?? [];
    return Number(length) * { ns: 1, us: 1e3, ms: 1e6, s: 1e9 }[unit as 'ns'];
  };

  /** Drawing waits for a frame of the browser. */
  const settled = () => browser.evaluate('new Promise((done) => setTimeout(done, 150))');

  test('loads with the network off, asks for nothing, and complains of nothing', async () => {
    expect(browser.requests).toEqual([`file://${page}`]);
    expect(await browser.evaluate('document.title')).toBe('busy </script><b>host</b>');
    expect(await browser.evaluate("document.querySelectorAll('h1 b').length")).toBe(0);
    const sections = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('h2')].map((h) => h.textContent)",
    );
    expect(sections).toEqual(expect.arrayContaining(['Timeline', 'Waits', 'Blame', 'Fairness', 'Deadlines']));
    await browser.until("document.querySelectorAll('.uplot').length >= 4");
    expect(browser.complaints).toEqual([]);
  });

  test('draws each state in its colour', async () => {
    await press('show the whole trace');
    await search('0.1s');
    for (let times = 0; times < 12; times++) await press('zoom in');
    await settled();
    // What the lane's model says at the middle of the view, and what colour is there.
    const { y, left, right } = await laneAt('d1v0');
    const pixel = await browser.evaluate<string>(`(() => {
      const canvas = document.querySelector('.timeline canvas');
      const box = canvas.getBoundingClientRect();
      const at = [(${left} + ${right}) / 2 - box.left, ${y} - box.top];
      const [r, g, b] = canvas.getContext('2d').getImageData(...at.map(Math.round), 1, 1).data;
      return '#' + [r, g, b].map((part) => part.toString(16).padStart(2, '0')).join('');
    })()`);
    await browser.click((left + right) / 2, y);
    const state = /d1v0: (running|runnable)/.exec(await browser.evaluate(DETAILS))?.[1];
    const color = await browser.evaluate(
      `getComputedStyle(document.documentElement).getPropertyValue('--state-${state}').trim()`,
    );
    expect(pixel).toBe(color);
  });

  test('zooms by buttons, keys and the wheel, to the microsecond and back', async () => {
    await press('show the whole trace');
    await settled();
    expect(await shownNs()).toBeCloseTo(1.999e9, -7);
    await press('zoom in');
    await settled();
    expect(await shownNs()).toBeCloseTo(1.999e9 / 1.6, -7);
    await browser.evaluate("document.querySelector('.lanes').focus()");
    for (let times = 0; times < 30; times++) await browser.press('+');
    await settled();
    expect(await shownNs()).toBeLessThan(2000);
    await browser.press('0');
    await settled();
    expect(await shownNs()).toBeCloseTo(1.999e9, -7);
    const { left, right, y } = await laneAt('d1v0');
    await browser.wheel((left + right) / 2, y, -480);
    await browser.until(`${SHOWN}.endsWith('ms)')`);
    expect(await shownNs()).toBeCloseTo(1.999e9 / 4, -7);
  });

  test('pans by dragging', async () => {
    await search('0.5s');
    await press('show the whole trace');
    for (let times = 0; times < 5; times++) await press('zoom in');
    await settled();
    const start = async () => Number.parseFloat(await browser.evaluate<string>(SHOWN));
    const before = await start();
    const { left, right, y } = await laneAt('d2v0');
    await browser.drag(left + 300, left + 100, y);
    await settled();
    const moved = ((200 / (right - left)) * (await shownNs())) / 1e9;
    expect((await start()) - before).toBeCloseTo(moved, 2);
  });

  test('finds a vCPU, a time, a miss, and a long wait', async () => {
    await press('show the whole trace');
    await search('d3v0');
    expect(await browser.evaluate(DETAILS)).toMatch(/^d3v0/);
    await search('d4v0 miss');
    expect(await browser.evaluate(DETAILS)).toMatch(/^d4v0: .*A deadline was missed by [\d.]+ ms/);
    await search('d4v0 runnable > 100ms');
    expect(await browser.evaluate(DETAILS)).toMatch(/^d4v0: runnable for 120.6 ms/);
    await search('d4v0 miss');
    const first = await browser.evaluate(DETAILS);
    await search('d4v0 miss');
    expect(await browser.evaluate(DETAILS)).not.toBe(first);
  });

  test('a time that is searched for comes to the middle, and zooming goes there', async () => {
    const middle = async () =>
      Number.parseFloat(await browser.evaluate<string>(SHOWN)) + (await shownNs()) / 2e9;
    await press('show the whole trace');
    for (let times = 0; times < 4; times++) await press('zoom in');
    // In view or out of it.
    for (const time of [1.02, 1.5]) {
      await search(`${time}s`);
      await settled();
      expect(await middle()).toBeCloseTo(time, 2);
    }
    await press('show the whole trace');
    await search('0.3s');
    for (let times = 0; times < 20; times++) await press('zoom in');
    await settled();
    const start = Number.parseFloat(await browser.evaluate<string>(SHOWN));
    expect(start).toBeLessThan(0.3);
    expect(start + (await shownNs()) / 1e9).toBeGreaterThan(0.3);
    expect(await shownNs()).toBeLessThan(1e6);
  });

  test('what a search said is gone with the next, and with its text', async () => {
    for (const next of ['1.5s', 'd3v0', '']) {
      await search('nonsense');
      expect(await browser.evaluate(DETAILS)).toMatch(/nothing is called "nonsense"/);
      await search(next);
      expect(await browser.evaluate(DETAILS)).not.toContain('nonsense');
    }
    await search('nonsense');
    await browser.evaluate(`(() => {
      const input = document.querySelector('input[type=search]');
      input.value = '';
      input.dispatchEvent(new Event('input'));
    })()`);
    expect(await browser.evaluate(DETAILS)).toBe('');
  });

  test('no label is cut at the edge of its chart', async () => {
    await press('show the whole trace');
    const cut = await browser.evaluate<string[]>(`(() => {
      const cut = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
        const { e } = this.getTransform();
        const width = this.measureText(text).width;
        const left = e + x - { left: 0, start: 0, center: width / 2, right: width, end: width }[this.textAlign];
        if (left < 0 || left + width > this.canvas.width + 0.5) cut.push(text);
        return fillText.call(this, text, x, ...rest);
      };
      return (async () => {
        // The curves follow the view when it has come to rest, and the other charts are drawn anew with the theme.
        for (let views = 0; views < 9; views++) {
          document.querySelector('button[aria-label="' + (views < 6 ? 'zoom in' : 'later') + '"]').click();
          if (views < 3) [...document.querySelectorAll('header button')].at(-1).click();
          await new Promise((done) => setTimeout(done, 150));
        }
        CanvasRenderingContext2D.prototype.fillText = fillText;
        return cut;
      })();
    })()`);
    expect(cut).toEqual([]);
  });

  test('a click on a wait shows who delayed it', async () => {
    const worst = analysis.worst_waits[0];
    await press('show wait 1 in the timeline');
    await settled();
    const { left, right, y } = await laneAt(`d${worst.dom}v${worst.vcpu}`);
    // The list puts the wait in the middle of the view; letting go of it first makes the click count.
    await browser.evaluate("document.querySelector('.lanes').focus()");
    await browser.press('Escape');
    expect(await browser.evaluate(DETAILS)).toBe('');
    await browser.click((left + right) / 2, y);
    const details = await browser.evaluate<string>(DETAILS);
    expect(details).toContain(`d${worst.dom}v${worst.vcpu}: runnable for ${formatNs(worst.wait_ns)}`);
    expect(details).toContain('Who delayed it');
    const shares = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('table.blame td:nth-child(3)')].map((td) => td.textContent)",
    );
    const percent = shares.reduce(
      (sum, text) => sum + (text.startsWith('<') ? 0 : Number.parseFloat(text)),
      0,
    );
    expect(percent).toBeCloseTo(100, 0);
  });

  test('the keyboard alone gets to an interval, the next one, and the next wait', async () => {
    await press('show the whole trace');
    await browser.evaluate("document.querySelector('.lanes').focus()");
    await browser.press('Escape');
    await browser.press('ArrowDown');
    const first = await browser.evaluate<string>(DETAILS);
    await browser.press('n');
    const second = await browser.evaluate<string>(DETAILS);
    expect(first).not.toBe('');
    expect(second).not.toBe(first);
    await browser.press('w');
    expect(await browser.evaluate(DETAILS)).toMatch(/: runnable for .*Who delayed it/);
  });

  test('copies what the command line prints', async () => {
    await browser.evaluate(`(() => {
      navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };
      document.querySelector('button[aria-label="copy CSV: Waits for a pCPU, by vCPU"]').click();
    })()`);
    const scenario = join(root, 'samples/busy-host.yaml');
    const csv = runCli(['analyze', trace, '--scenario', scenario, '--format', 'csv', '--table', 'waits']);
    // The command line names the table in a first column.
    const lines = csv.stdout.split('\r\n').map((line) => line.replace(/^[^,]*,/, ''));
    expect(await browser.evaluate('window.copied')).toBe(lines.join('\r\n'));
    const labels = await browser.evaluate<number>("document.querySelectorAll('figure').length");
    expect(await browser.evaluate("document.querySelectorAll('figure button.copy').length")).toBe(labels);
  });

  test('is light or dark as the system is, or as is chosen', async () => {
    const ground = () => browser.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const scheme = (value: string) =>
      browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    await scheme('light');
    expect(await ground()).toBe('rgb(255, 255, 255)');
    await scheme('dark');
    await browser.until("document.documentElement.dataset.theme === 'dark'");
    expect(await ground()).toBe('rgb(20, 24, 31)');
    const button = "[...document.querySelectorAll('header button')].at(-1)";
    await browser.evaluate(`${button}.click()`);
    expect(await ground()).toBe('rgb(255, 255, 255)');
    await browser.evaluate(`${button}.click(); ${button}.click()`);
    await scheme('light');
  });

  test('everything has a name for a screen reader', async () => {
    await browser.send('Accessibility.enable');
    const { nodes } = (await browser.send('Accessibility.getFullAXTree')) as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    const roles = [
      'button',
      'combobox',
      'searchbox',
      'checkbox',
      'link',
      'application',
      'figure',
      'region',
      'img',
      'heading',
    ];
    const named = nodes.filter(({ ignored, role }) => !ignored && roles.includes(role?.value ?? ''));
    expect(new Set(named.map(({ role }) => role?.value)).size).toBeGreaterThanOrEqual(8);
    expect(named.filter(({ name }) => !name?.value).map(({ role }) => role?.value)).toEqual([]);
  });

  test('says what stands out, as analyze does, with links to the whole of it', async () => {
    const items = await browser.evaluate<[string, boolean][]>(`
      [...document.querySelectorAll('.findings li')].map((item) => [
        item.firstChild.textContent.trim(), document.querySelector(item.querySelector('a').hash) !== null])`);
    const { findings } = JSON.parse(
      runCli(['analyze', trace, '--scenario', join(root, 'samples/busy-host.yaml'), '--format', 'json'])
        .stdout,
    );
    expect(items.length).toBeGreaterThan(3);
    expect(items).toEqual(findings.map(({ text }: { text: string }) => [text, true]));
  });

  test('prints', async () => {
    const { data } = await browser.send('Page.printToPDF', { printBackground: true });
    const pdf = Buffer.from(data as string, 'base64');
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(await browser.evaluate('document.documentElement.dataset.theme')).toBe('light');
  });

  test('has bars behind shares, and none behind what may be negative', async () => {
    const withBars = await browser.evaluate<
      string[]
    >(`[...new Set([...document.querySelectorAll('td.share')].map(
      (cell) => cell.closest('table').querySelectorAll('th[scope=col]')[cell.cellIndex].textContent))]`);
    expect(withBars).toContain('entitled share');
    expect(withBars).not.toContain('share error');
  });

  test('has not complained meanwhile', () => {
    expect(browser.complaints).toEqual([]);
    expect(browser.requests).toEqual([`file://${page}`]);
  });

  test('two traces are side by side, compared figure by figure, and zoom together', async () => {
    const other = record('busy-host', 'other.trace', '--scheduler', 'credit2');
    await browser.open(report('two.html', trace, other), READY);
    expect(await browser.evaluate("document.querySelectorAll('.timeline').length")).toBe(2);
    expect(await browser.evaluate("document.querySelectorAll('#waits .panel').length")).toBe(2);
    const changes = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('#comparison .change')].map((td) => td.textContent)",
    );
    expect(changes).toContain('better');
    await browser.evaluate("document.querySelector('#comparison input').click()");
    const every = await browser.evaluate<string>("document.querySelector('#comparison table').textContent");
    expect(every).toContain('not in the first');
    expect(every).not.toMatch(/only (baseline|other)/);
    await browser.evaluate(`document.querySelector('button[aria-label="zoom in"]').click()`);
    await settled();
    const ranges = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('.range')].map((r) => r.textContent)",
    );
    expect(ranges[1]).toMatch(/ms\)$|\(1\.2\d+ s\)$/);
    expect(await browser.evaluate("document.querySelector('#comparison').textContent")).toContain(
      'window=100 ms',
    );
    // What is beside each other goes by the same colours.
    for (const section of ['fairness', 'scheduler']) {
      const legends = await browser.evaluate<string[]>(
        `[...document.querySelectorAll('#${section} .legend.series')].map((legend) => [...legend.children]
          .map((chip) => chip.textContent + ' ' + chip.firstChild?.style?.borderTop).join())`,
      );
      expect(legends).toHaveLength(2);
      expect(legends[1]).toBe(legends[0]);
    }
    expect(browser.complaints).toEqual([]);
  });

  test('a domain has one colour on all of a page, and others have none of the same', async () => {
    // The same domains in reverse, so that alone they would be given their colours in another order.
    const [head, ...domains] = readFileSync(join(root, 'samples/busy-host.yaml'), 'utf8').split(
      /^(?= {2}- name)/m,
    );
    const [reversed, other] = [scratch.path('reversed.yaml'), scratch.path('reversed.trace')];
    writeFileSync(reversed, [head, ...domains.reverse().map((domain) => `${domain}\n`)].join(''));
    expect(runCli(['record', reversed, '-o', other, '--scheduler', 'credit2']).status).toBe(0);
    await browser.open(report('colours.html', trace, other), READY);
    await browser.until("document.querySelectorAll('.uplot').length >= 8");
    const colours = await browser.evaluate<[string, string][]>(`[
      ...[...document.querySelectorAll('.legend.series .chip')].map((chip) => [
        chip.textContent, getComputedStyle(chip.querySelector('i')).borderTopColor]),
      ...[...document.querySelectorAll('.legend:not(.series) .chip')].map((chip) => [
        chip.textContent, getComputedStyle(chip.querySelector('i')).backgroundColor]),
    ]`);
    const ofDomain = (dom: string) =>
      new Set(
        colours.filter(([text]) => text.replace(/(v0| \(.*\))$/, '') === dom).map(([, colour]) => colour),
      );
    const all = ['d1', 'd2', 'd3', 'd4'].map(ofDomain);
    expect(all.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
    expect(new Set(all.flatMap((own) => [...own])).size).toBe(4);
  });

  test('where one window is all there is, a chart is not drawn, and the page says why', async () => {
    await browser.open(report('short.html', trace, '--from', '100ms', '--to', '150ms'), READY);
    const text = (section: string) => browser.evaluate(`document.querySelector('#${section}').textContent`);
    expect(await text('scheduler')).toMatch(/told of two windows of 100 ms.*--window/);
    expect(await text('fairness')).toMatch(/no full window is known.*--window/);
    expect(
      await browser.evaluate("document.querySelectorAll('#scheduler canvas, #fairness canvas').length"),
    ).toBe(0);
    expect(await browser.evaluate("document.querySelector('#head').textContent")).toContain(
      'from 0.100000 s to 0.150000 s: 50 ms of 1.999 s',
    );
  });

  test('of many vCPUs, those whose credit varies most are drawn, and the page says so', async () => {
    const scenario = scratch.path('many.yaml');
    writeFileSync(
      scenario,
      `scheduler: credit2
duration: 300ms
host: {pcpus: 4}
domains:
  - {name: sleepers, vcpus: [{workload: {duty: {run: 10us, sleep: 30ms}}, count: 40}]}
  - {name: hogs, vcpus: [{workload: hog, count: 5}]}
`,
    );
    const many = scratch.path('many.trace');
    expect(runCli(['record', scenario, '-o', many])).toMatchObject({ status: 0 });
    await browser.open(report('many.html', many), READY);
    await browser.until("document.querySelectorAll('.curves .chip').length > 1");
    const chips = await browser.evaluate<[string, string][]>(
      "[...[...document.querySelectorAll('.curves .legend')].at(-1).querySelectorAll('.chip')].map(" +
        '(chip) => [chip.textContent, chip.ariaPressed])',
    );
    expect(chips).toHaveLength(32);
    expect(new Set(chips.slice(0, 5).map(([vcpu]) => vcpu))).toEqual(
      new Set(['d2v0', 'd2v1', 'd2v2', 'd2v3', 'd2v4']),
    );
    expect(chips.map(([, pressed]) => pressed === 'true').lastIndexOf(true)).toBe(9);
    const text = await browser.evaluate<string>("document.querySelector('.curves').textContent");
    expect(text).toContain('The 32 vCPUs of 45 whose credit varies most');
    expect(text).toContain('Of 32 the first 10 are drawn at first');
  });

  test('vCPUs whose state is not known are not counted as if they did not wait', async () => {
    const lossy = record('busy-host', 'lossy.trace', '-S', '1', '-s', '200');
    const intervals = (await readTimeline(lossy)).intervals.filter(({ vcpu }) => !vcpu.includes('IDLE'));
    const countAt = (wanted: string, tNs: number) =>
      intervals.filter(({ state, startNs, endNs }) => state === wanted && startNs <= tNs && tNs < endNs)
        .length;
    const changes = intervals.map(({ startNs }) => startNs).sort((a, b) => a - b);
    // In the middle of a millisecond or more in which nothing changes, some wait and some are not known.
    const at = changes
      .map((tNs, index) => ({
        tNs: Math.round((tNs + changes[index + 1]) / 2),
        ns: changes[index + 1] - tNs,
      }))
      .find(({ tNs, ns }) => ns > 1e6 && countAt('unknown', tNs) > 0 && countAt('runnable', tNs) > 0)!;
    await browser.open(report('lossy.html', lossy), READY);
    await search(`${at.tNs}ns`);
    for (let times = 0; times < 22; times++) await press('zoom in');
    await settled();
    const [x, y] = await browser.evaluate<[number, number]>(`(() => {
      document.querySelector('.curves').scrollIntoView({ block: 'center' });
      const box = document.querySelector('.curves .u-over').getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    })()`);
    await browser.click(x, y);
    const told = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('.curves .legend')[0].children].map((chip) => chip.textContent)",
    );
    expect(told.slice(0, 2)).toEqual([
      `waiting ${countAt('runnable', at.tNs)}`,
      `not known ${countAt('unknown', at.tNs)}`,
    ]);
  });

  test('a damaged trace is told of at the top', async () => {
    const damaged = scratch.path('cut.trace');
    writeFileSync(damaged, readFileSync(trace).subarray(0, -1001));
    expect(runCli(['report', damaged, '-o', scratch.path('cut.html')]).status).toBe(1);
    await browser.open(scratch.path('cut.html'), READY);
    expect(await browser.evaluate("document.querySelectorAll('.diagnostics li').length")).toBeGreaterThan(0);
    expect(browser.complaints).toEqual([]);
  });

  test('a trace with nothing to draw makes a page all the same', async () => {
    const path = scratch.path('nothing.trace');
    writeFileSync(path, new TraceBuilder().window(0).record(0x00082001, 1000, [1, 2]).bytes());
    await browser.open(report('nothing.html', path), SHOWN_ONCE);
    const text = await browser.evaluate<string>("document.querySelector('#timeline').textContent");
    expect(text).toContain('Nothing to draw');
    expect(browser.complaints).toEqual([]);
  });
});
