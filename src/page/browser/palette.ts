import { DOMAIN_SLOTS, MARK_NAMES } from '../page-data.ts';
import { cssColor as asWritten } from './dom.ts';
import { STATE_NAMES } from './timeline-model.ts';

/** The colours of the present theme, as the canvas needs them. */
export interface Palette {
  /** By runstate. */
  readonly states: readonly string[];
  /** By domain slot. */
  readonly domains: readonly string[];
  /** By kind of mark. */
  readonly marks: readonly string[];
  readonly lane: string;
  readonly idle: string;
  readonly unknown: string;
  readonly lost: string;
  readonly text: string;
  readonly faint: string;
  readonly page: string;
  readonly onColor: string;
  readonly select: string;
}

export function readPalette(): Palette {
  return {
    states: STATE_NAMES.map((name) => cssColor(`state-${name}`)),
    domains: Array.from({ length: DOMAIN_SLOTS }, (_, slot) => cssColor(`series-${slot}`)),
    marks: MARK_NAMES.map((name) => cssColor(`mark-${name}`)),
    lane: cssColor('lane'),
    idle: cssColor('lane-idle'),
    unknown: cssColor('state-unknown'),
    lost: cssColor('lost'),
    text: cssColor('text'),
    faint: cssColor('faint'),
    page: cssColor('page'),
    onColor: cssColor('on-color'),
    select: cssColor('select'),
  };
}

/** With six digits, whatever the style sheet was made shorter to. */
function cssColor(name: string): string {
  const color = asWritten(name);
  return color.length === 4 ? `#${[...color.slice(1)].map((digit) => digit + digit).join('')}` : color;
}

/** A colour such as `#3b7dd8` as a pixel of ImageData. */
export function pixelOf(color: string): number {
  const rgb = Number.parseInt(color.slice(1), 16);
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >>> 16)) >>> 0;
}
