import type { Located } from './located.ts';

/** Longer texts are cut in messages. */
const SHOWN_MAX = 40;

/** `text` in quotes, on one line, cut when it is long: for messages. */
export function quote(text: string): string {
  const cut = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
  return JSON.stringify(cut);
}

/** A value of the text as a message names it: `-5`, `"web"`, `nothing`, `a list`, `a map`. */
export function describeLocated(node: Located): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a map of keys';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return quote(node.value);
  return node.source.length > SHOWN_MAX ? `${node.source.slice(0, SHOWN_MAX)}...` : node.source;
}
