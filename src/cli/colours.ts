import { styleText } from 'node:util';

/** What a piece of text is to the eye. */
export type Tone = 'plain' | 'faint' | 'strong' | 'heading' | 'watch' | 'high';

const STYLES: Readonly<Record<Exclude<Tone, 'plain'>, Parameters<typeof styleText>[0]>> = {
  faint: 'dim',
  strong: 'bold',
  heading: 'inverse',
  watch: 'yellow',
  high: ['bold', 'red'],
};

/**
 * Whether to use colours on a stream: only on a terminal that has them, and not against NO_COLOR, which counts if it is
 * not empty (no-color.org).
 */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, ...env } = process.env;
  return stream.isTTY === true && !NO_COLOR && stream.hasColors(16, env);
}

/** `text` in a tone, where `colours` are wanted. */
export function paint(text: string, tone: Tone, colours: boolean): string {
  return colours && tone !== 'plain' ? styleText(STYLES[tone], text, { validateStream: false }) : text;
}
