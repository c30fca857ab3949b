import { WINDOW_NS_MAX } from '../live/index.ts';
import { type Arrangement, columnsOf, VIEWS, type View } from './top-table.ts';

/** The windows that one may look at, by the names that `--window` has for them. */
export const WINDOWS = { '1s': 1_000_000_000, '10s': WINDOW_NS_MAX, all: Number.POSITIVE_INFINITY } as const;
export type WindowName = keyof typeof WINDOWS;

/** What somebody looks at, and how. */
export interface TopState {
  readonly view: View;
  /** By view: key of the column that its rows are sorted by. */
  readonly sorts: Readonly<Record<View, string>>;
  readonly reverse: boolean;
  readonly filter: string;
  readonly window: WindowName;
  readonly paused: boolean;
  readonly help: boolean;
  /** Rows that are scrolled out above. */
  readonly skip: number;
  /** The filter that is being typed; undefined where none is. */
  readonly typing: string | undefined;
}

export const SORTS_DEFAULT: Readonly<Record<View, string>> = {
  vcpus: 'ready',
  domains: 'ready',
  pcpus: 'name',
};

/** How the rows are to be arranged. */
export function arrangementOf({ view, sorts, reverse, filter }: TopState): Arrangement {
  return { view, sort: sorts[view], reverse, filter };
}

type Action = (state: TopState, pageRows: number) => Partial<TopState>;

const scroll = (rows: (page: number) => number): Action => {
  return ({ skip }, page) => ({ skip: Math.max(0, skip + rows(page)) });
};

const ACTIONS: Readonly<Record<string, Action>> = {
  s: ({ view, sorts }) => ({
    sorts: {
      ...sorts,
      [view]: next(
        columnsOf(view).map(({ key }) => key),
        sorts[view],
      ),
    },
  }),
  r: ({ reverse }) => ({ reverse: !reverse }),
  d: ({ view }) => ({ view: next(VIEWS, view), skip: 0 }),
  w: ({ window }) => ({ window: next(Object.keys(WINDOWS) as WindowName[], window) }),
  p: ({ paused }) => ({ paused: !paused }),
  '/': () => ({ typing: '' }),
  '?': ({ help }) => ({ help: !help }),
  h: ({ help }) => ({ help: !help }),
  '\x1b[A': scroll(() => -1),
  '\x1b[B': scroll(() => 1),
  '\x1b[5~': scroll((page) => -page),
  '\x1b[6~': scroll((page) => page),
  '\x1b[H': () => ({ skip: 0 }),
  '\x1b[1~': () => ({ skip: 0 }),
};
const QUIT = ['q', 'Q', '\x03', '\x04'];
const ENTER = ['\r', '\n'];
const ERASE = ['\x7f', '\b'];
const ESCAPE = '\x1b';

/** What is looked at after a key; undefined: the key says to quit. Keys that mean nothing change nothing. */
export function afterKey(state: TopState, key: string, pageRows: number): TopState | undefined {
  if (state.typing !== undefined && key !== '\x03') return { ...state, ...typed(state.typing, key) };
  if (QUIT.includes(key)) return undefined;
  return { ...state, ...ACTIONS[key]?.(state, pageRows) };
}

/** Splits what a terminal sends into keys. */
export function keysOf(input: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send them
  return input.match(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]/gu) ?? [];
}

function typed(typing: string, key: string): Partial<TopState> {
  if (ENTER.includes(key)) return { filter: typing.trim(), typing: undefined, skip: 0 };
  if (key === ESCAPE) return { typing: undefined };
  if (ERASE.includes(key)) return { typing: typing.slice(0, -1) };
  return key >= ' ' && key.length === 1 ? { typing: typing + key } : {};
}

function next<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length]!;
}
