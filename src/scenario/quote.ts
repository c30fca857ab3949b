/** Longer texts are cut in messages. */
export const SHOWN_MAX = 40;

/** `text` in quotes, on one line, cut when it is long: for messages. */
export function quote(text: string): string {
  const cut = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
  return JSON.stringify(cut);
}
