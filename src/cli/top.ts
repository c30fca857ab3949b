import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import { SLICE_NS, type Snapshot } from '../live/index.ts';
import { csvLine, formatCount } from '../report/index.ts';
import { parseCountArgument, parseDurationArgument } from './arguments.ts';
import { hasColours } from './colours.ts';
import { EXIT } from './exit.ts';
import { flushOutput, print } from './output.ts';
import { Screen } from './screen.ts';
import {
  afterKey,
  arrangementOf,
  keysOf,
  SORTS_DEFAULT,
  type TopState,
  WINDOWS,
  type WindowName,
} from './top-state.ts';
import { columnsOf, rowsOf, VIEWS, type View } from './top-table.ts';
import { HEAD_ROWS, helpLines, topLines } from './top-text.ts';
import { openWatch, type Watch } from './top-watch.ts';
import { addTraceOptions, exitCodeOf, type TraceOptions } from './trace-options.ts';

interface TopOptions extends TraceOptions {
  readonly follow?: boolean;
  readonly replay?: number;
  readonly batch?: boolean;
  readonly format: 'text' | 'json' | 'csv';
  readonly count?: number;
  readonly interval: number;
  readonly window?: WindowName;
  readonly view: View;
  readonly sort?: string;
  readonly filter?: string;
}

const INTERVAL_NS_DEFAULT = 1_000_000_000;
/** A screen is drawn no more often than that while a trace is read as fast as can be. */
const DRAW_MS_MIN = 100;

/** `xenscope top`: what a host is doing now, on a screen of its own or as blocks of text. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    verb
      .argument('[trace]', 'a trace of xentrace or of `record`; - is standard input, as it comes', '-')
      .option('-F, --follow', 'read on as the file grows, and anew when it is rewritten, as tail -F does')
      .option('--replay <speed>', 'show a trace at this speed: 1 as it was, 10 ten times as fast', parseSpeed)
      .addOption(
        new Option('-i, --interval <time>', 'how often to tell, in the time of the trace')
          .argParser(parseInterval)
          .default(INTERVAL_NS_DEFAULT, formatNanosecondsExact(INTERVAL_NS_DEFAULT)),
      )
      .addOption(
        new Option(
          '-w, --window <window>',
          'the time before that is summed up (1s; of a whole trace: all)',
        ).choices(Object.keys(WINDOWS)),
      )
      .addOption(new Option('--view <view>', 'what the rows are').choices(VIEWS).default('vcpus'))
      .option(
        '--sort <column>',
        'sort by this column: name, run, ready, p99, missed, ... (ready; pCPUs: name)',
      )
      .option('--filter <name>', 'only what is called so: d1 is all vCPUs of domain 1')
      .option('-b, --batch', 'blocks of text instead of a screen, as is done anyway without a terminal')
      .option('-n, --count <count>', 'end after so many intervals', parseCountArgument)
      .addOption(
        new Option('-f, --format <format>', 'blocks of text; json: an object a line; csv: a row a line')
          .choices(['text', 'json', 'csv'])
          .default('text'),
      ),
  )
    .addHelpText('after', HELP)
    .action(async (trace: string, options: TopOptions) => {
      const state = startState(trace, options);
      const watch = await openWatch(trace, {
        ...options,
        follow: options.follow ?? false,
        speed: options.replay,
        intervalNs: options.interval,
      });
      try {
        const isScreen = options.format === 'text' && !options.batch && process.stdout.isTTY;
        await (isScreen
          ? showScreen(watch, trace, state, options.count)
          : printBlocks(watch, state, options));
        exit(exitCodeOf(watch, { tell: true }));
        if (watch.wasDamaged) exit(EXIT.damaged);
      } finally {
        watch.close();
      }
    });
}

const HELP = `
Examples:
  ssh dom0 xentrace -D -e 0x0002f000 /dev/stdout | xenscope top      a real host, live
  xenscope top host.trace --follow                                  a file that xentrace is writing
  xenscope top run.trace --replay 1                                 a trace as it was
  xenscope top run.trace                                            its figures at the end
  xenscope top run.trace --batch --view domains -w 10s -i 10s       blocks of text
  ssh dom0 xentrace -D /dev/stdout | xenscope top --format json | jq -c '.vcpus[] | select(.ready_ns > 5e7)'

Keys: q quit, s sort by the next column, r reverse, / filter, d vCPUs, domains, pCPUs, w window, p pause, ? help.
What is shown is about a second behind: a sweep of xentrace, and half a second in which Xen may tell of lost records.`;

function startState(trace: string, options: TopOptions): TopState {
  const { view, sort, follow, replay } = options;
  const isWhole = trace !== '-' && !follow && replay === undefined;
  if (trace === '-' && (follow || replay !== undefined)) {
    throw new UserError('usage', `${follow ? '--follow' : '--replay'} is for files`, {
      hint: 'standard input is shown as it comes',
    });
  }
  if (follow && replay !== undefined) {
    throw new UserError('usage', 'a file is either followed or replayed', {
      hint: 'give one of the two options',
    });
  }
  if (sort !== undefined) {
    const keys = columnsOf(view).map(({ key }) => key);
    if (!keys.includes(sort)) {
      throw new UserError('usage', `there is no column "${sort}" of ${view}`, {
        hint: `there are ${keys.join(', ')}`,
      });
    }
  }
  return {
    view,
    sorts: sort === undefined ? SORTS_DEFAULT : { ...SORTS_DEFAULT, [view]: sort },
    reverse: false,
    filter: options.filter ?? '',
    window: options.window ?? (isWhole && !options.batch && process.stdout.isTTY ? 'all' : '1s'),
    paused: false,
    help: false,
    skip: 0,
    typing: undefined,
  };
}

function tellAside(sentence: string): void {
  process.stderr.write(`xenscope: ${sentence}\n`);
}

/** One block for each interval. */
async function printBlocks(watch: Watch, state: TopState, { format, count }: TopOptions): Promise<void> {
  const arrangement = arrangementOf(state);
  let left = count ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  let isFirst = true;
  await watch.run((passedOver) => {
    const snapshot = watch.model.snapshot(WINDOWS[state.window]);
    if (format === 'json')
      print(`${JSON.stringify(snakeCase({ ...snapshot, lateRecords: watch.status().lateRecords }))}\n`);
    else if (format === 'csv') for (const line of csvLines(snapshot, state, isFirst)) print(line);
    else {
      if (passedOver > 0)
        print(`\n${formatCount(passedOver)} intervals without a record were passed over.\n`);
      print(`${isFirst ? '' : '\n'}${topLines(snapshot, arrangement, watch.status()).join('\n')}\n`);
    }
    isFirst = false;
    flushOutput();
    if (--left === 0) watch.stop();
  }, tellAside);
}

/** The screen, until somebody quits. */
async function showScreen(
  watch: Watch,
  trace: string,
  first: TopState,
  count = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (count === 0) return;
  let state = first;
  let left = count;
  let snapshot = watch.model.snapshot(WINDOWS[state.window]);
  let drawnMs = Number.NEGATIVE_INFINITY;
  /** There is no place for them on the screen. */
  const asides: string[] = [];
  let quit = () => {};
  const isQuit = new Promise<void>((resolve) => {
    quit = resolve;
  });
  const colours = hasColours(process.stdout);
  const draw = () => {
    drawnMs = performance.now();
    screen.draw(screenLines(snapshot, state, watch, screen.size, colours));
  };
  const look = () => {
    snapshot = watch.model.snapshot(WINDOWS[state.window]);
    draw();
  };
  const screen = new Screen({
    inputTaken: trace === '-',
    onRedraw: draw,
    onKeys: (input) => {
      for (const key of keysOf(input)) {
        const after = afterKey(state, key, pageRows(screen.size));
        if (after === undefined) {
          watch.stop();
          quit();
          return;
        }
        const lastSkip = Math.max(0, snapshot[after.view].length - pageRows(screen.size));
        const isOther = after.window !== state.window || (state.paused && !after.paused);
        state = { ...after, skip: Math.min(after.skip, lastSkip) };
        if (isOther) snapshot = watch.model.snapshot(WINDOWS[state.window]);
      }
      draw();
    },
  });
  try {
    draw();
    const timer = setInterval(draw, 1000);
    const ended = watch.run(
      () => {
        if (--left === 0) watch.stop();
        if (!state.paused && performance.now() - drawnMs >= DRAW_MS_MIN) look();
      },
      (sentence) => asides.push(sentence),
    );
    await ended.finally(() => clearInterval(timer));
    if (left <= 0) return;
    if (!state.paused) look();
    if (screen.hasKeys) await isQuit;
  } finally {
    screen.close();
    for (const sentence of asides) tellAside(sentence);
  }
}

function pageRows({ rows }: { rows: number }): number {
  return Math.max(1, rows - HEAD_ROWS - 1);
}

function screenLines(
  snapshot: Snapshot,
  state: TopState,
  watch: Watch,
  size: { columns: number; rows: number },
  colours: boolean,
): string[] {
  const rows = pageRows(size);
  const options = { size: { columns: size.columns, rows }, skip: state.skip, colours };
  const lines = state.help
    ? helpLines(state.view).map((line) => line.slice(0, size.columns))
    : topLines(snapshot, arrangementOf(state), watch.status(), options);
  const foot = footLine(state);
  while (lines.length < size.rows - 1) lines.push('');
  return [...lines.slice(0, size.rows - 1), foot.slice(0, size.columns)];
}

function footLine({ typing, paused, filter, window }: TopState): string {
  if (typing !== undefined)
    return `filter: ${typing}_   (enter: take it, escape: leave it, nothing: show all)`;
  const parts = [
    paused ? 'paused' : '',
    filter === '' ? '' : `only ${filter}`,
    `window ${window}`,
    '? help',
    'q quit',
  ];
  return parts.filter((part) => part !== '').join('   ');
}

/** The rows of a view as CSV: when, and every figure as it is. */
function csvLines(snapshot: Snapshot, state: TopState, withHeading: boolean): string[] {
  const rows = rowsOf(snapshot, arrangementOf(state)).map((row) => {
    return snakeCase({ tNs: snapshot.tNs, fromNs: snapshot.fromNs, ...row }) as Record<
      string,
      string | number | null
    >;
  });
  const [first] = rows;
  if (first === undefined) return [];
  const heading = withHeading ? [csvLine(Object.keys(first))] : [];
  return [...heading, ...rows.map((row) => csvLine(Object.values(row)))];
}

/** The same value, its keys as programs know them: `wakeNsP99` becomes `wake_ns_p99`. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (value === null || typeof value !== 'object') return value;
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [snake(key), snakeCase(own)]));
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (text.trim() !== '' && speed > 0 && Number.isFinite(speed)) return speed;
  throw new InvalidArgumentError('expected a number above 0, such as 1 or 10.');
}

function parseInterval(text: string): number {
  const ns = parseDurationArgument(text);
  if (ns > 0 && ns % SLICE_NS === 0) return ns;
  throw new InvalidArgumentError(`expected whole tenths of a second, such as 1s or 500ms.`);
}
