import type { Analyser } from './analyser.ts';
import type { Pcpu } from './state.ts';

const RAW_WORDS = 8;
const EXTRA_WORDS_MAX = 7;

/** A record as numbers, with the words that lie in its place in the file, whatever they belong to. */
export function dumpRaw(a: Analyser, p: Pcpu, prefix: string): void {
  const { out } = a;
  const { words, wordsAt, extraWords } = p;
  out.text(prefix);
  if (p.hasTsc) out.printf(' %7x %d %14lld [', p.event, extraWords, BigInt.asIntN(64, a.exact(p)));
  else out.printf(' %7x %d %14s [', p.event, extraWords, '-');
  for (let i = 0; i < EXTRA_WORDS_MAX; i++) {
    if (i < extraWords) out.printf(' %8x', words[wordsAt + i]);
    else out.text('         ');
  }
  out.text(' ] | ');
  const first = wordsAt - (p.hasTsc ? 3 : 1);
  for (let i = 0; i < RAW_WORDS; i++) out.printf(' %08x', words[first + i]);
  out.text(' |\n');
}
