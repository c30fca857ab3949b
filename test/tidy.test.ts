/**
 * Checks the source tree itself: which room may import which, no cycles, one door per dependency, and a few
 * words and widths. The rules are the tree's design; a change of the design changes the tables here.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

/** Which rooms a room may import. The write side and the read side share base/ and format/ only. */
const ALLOWED: Record<string, readonly string[]> = {
  base: [],
  format: ['base'],
  scenario: ['base'],
  tasksets: ['base'],
  simulator: ['base', 'format', 'scenario'],
  ring: ['base', 'format', 'simulator'],
  recorder: ['base', 'format', 'simulator', 'ring'],
  decoder: ['base', 'format'],
  timeline: ['base', 'format', 'decoder'],
  xenalyze: ['base', 'format', 'decoder'],
  'xentrace-format': ['base', 'format', 'decoder', 'xenalyze'],
  tables: ['base', 'format', 'decoder', 'timeline'],
  analysis: ['base', 'format', 'decoder', 'timeline'],
  compare: ['base', 'format', 'decoder', 'timeline', 'analysis'],
  live: ['base', 'format', 'decoder', 'timeline', 'analysis'],
  report: ['base', 'format', 'decoder', 'timeline', 'analysis', 'compare'],
  export: ['base', 'format', 'decoder', 'timeline', 'tables', 'analysis'],
  query: ['base', 'format', 'decoder', 'timeline', 'tables', 'analysis', 'report', 'export'],
  page: ['base', 'format', 'decoder', 'timeline', 'analysis', 'compare', 'report'],
  cli: [
    'base',
    'format',
    'scenario',
    'tasksets',
    'simulator',
    'ring',
    'recorder',
    'decoder',
    'timeline',
    'xenalyze',
    'xentrace-format',
    'tables',
    'analysis',
    'compare',
    'live',
    'report',
    'export',
    'query',
    'page',
  ],
};

/** The only places that may import a package's values. */
const DOORS: Record<string, RegExp> = {
  'apache-arrow': /^src\/tables\//,
  'binary-parser': /^src\/format\/reference\.ts$/,
  'simple-statistics': /^src\/analysis\/statistics\.ts$/,
  pbf: /^src\/export\//,
  'parquet-wasm': /^src\/export\/parquet-sink\.ts$/,
  commander: /^src\/cli\//,
  uplot: /^src\/page\/browser\//,
  vite: /^src\/(cli|page\/browser)\/vite\.config\.ts$/,
  zod: /^src\/scenario\//,
  yaml: /^src\/(scenario\/|format\/)/,
};

function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesBelow(path, pattern);
    return pattern.test(name) ? [path] : [];
  });
}

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  for (const match of text.matchAll(pattern)) {
    found.push({ from: path, specifier: (match[2] ?? match[3]) as string, typeOnly: match[1] !== undefined });
  }
  return found;
}

const sources = filesBelow(src, /\.ts$/);
const imports = sources.flatMap(importsOf);
const roomOf = (path: string) => relative(src, path).split('/')[0] as string;
const isRoom = (room: string) => !room.endsWith('.ts');

describe('the source tree', () => {
  test('every room is in the table of directions', () => {
    const rooms = readdirSync(src).filter(isRoom);
    expect(rooms.filter((room) => !(room in ALLOWED))).toEqual([]);
    expect(sources.length).toBeGreaterThan(30);
  });

  test('imports point only backwards along the road', () => {
    const wrong = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter(({ from, specifier }) => {
        const room = roomOf(from);
        const target = roomOf(resolve(dirname(from), specifier));
        if (!isRoom(room) || target === room) return false;
        return !(ALLOWED[room] ?? []).includes(target);
      })
      .map(({ from, specifier }) => `${relative(root, from)} imports ${specifier}`);
    expect(wrong).toEqual([]);
  });

  test('there are no cycles of imports', () => {
    const edges = new Map<string, string[]>();
    for (const { from, specifier, typeOnly } of imports) {
      if (!specifier.startsWith('.') || typeOnly) continue;
      edges.set(from, [...(edges.get(from) ?? []), resolve(dirname(from), specifier)]);
    }
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, trail: readonly string[]) => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        const loop = [...trail.slice(trail.indexOf(file)), file].map((path) => relative(src, path));
        cycles.push(loop.join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of sources) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('each dependency has one door', () => {
    const wrong = imports
      .filter(
        ({ specifier, typeOnly }) =>
          !specifier.startsWith('.') && !specifier.startsWith('node:') && !typeOnly,
      )
      .filter(({ from, specifier }) => {
        const name = specifier.split('/')[0] as string;
        return !(DOORS[name]?.test(relative(root, from)) ?? false);
      })
      .map(({ from, specifier }) => `${relative(root, from)} imports ${specifier}`);
    expect(wrong).toEqual([]);
  });

  test('nothing but the command line imports the command line', () => {
    const wrong = imports.filter(
      ({ from, specifier }) =>
        specifier.startsWith('.') &&
        roomOf(resolve(dirname(from), specifier)) === 'cli' &&
        roomOf(from) !== 'cli',
    );
    expect(wrong).toEqual([]);
  });

  test('a room tells what it is: each folder has an index.ts that opens with its contract', () => {
    const without = Object.keys(ALLOWED)
      .filter((room) => room !== 'base' && room !== 'cli')
      .filter((room) => {
        try {
          return !readFileSync(join(src, room, 'index.ts'), 'utf8').startsWith('/**');
        } catch {
          return true;
        }
      });
    expect(without).toEqual([]);
  });

  test('the simulator is deterministic by construction: no wall clock, no Math.random, no Math.pow', () => {
    const banned =
      /\bDate\b|\bMath\.random\b|\bMath\.pow\b|\bperformance\b|\bprocess\.hrtime\b|(?<!\b2 )\*\*/;
    const wrong = [...filesBelow(join(src, 'simulator'), /\.ts$/), join(src, 'base', 'prng.ts')].flatMap(
      (path) =>
        codeLines(path)
          .filter(({ code }) => banned.test(code))
          .map(({ number, code }) => `${relative(root, path)}:${number}: ${code.trim()}`),
    );
    expect(wrong).toEqual([]);
  });

  test('lines have at most 120 columns, and nothing is left for later without saying so', () => {
    const wrong = sources.flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          line.length > 120 || /\b(TODO|FIXME|XXX)\b/.test(line)
            ? [`${relative(root, path)}:${index + 1}`]
            : [],
        ),
    );
    expect(wrong).toEqual([]);
  });
});

/** Lines with comments blanked out, numbered from 1. */
function codeLines(path: string): { number: number; code: string }[] {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, (comment) =>
    comment.replace(/[^\n]/g, ' '),
  );
  return text.split('\n').map((line, index) => ({ number: index + 1, code: line.replace(/\/\/.*$/, '') }));
}
