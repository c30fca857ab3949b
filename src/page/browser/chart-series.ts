/**
 * What curves are made of: points, looks and axes. It needs no browser.
 * @module
 */
import { DOMAIN_SLOTS } from '../page-data.ts';

export interface Series {
  readonly label: string;
  readonly x: readonly number[];
  /** Null is a gap. */
  readonly y: readonly (number | null)[];
  /** What its colour is called in page.css. */
  readonly color: string;
  /** Which of those that share the colour it is: they are told apart by shade, then by dashes. */
  readonly nth?: number;
  readonly dashed?: boolean;
  /** It belongs to the one before it: one button shows and hides both. */
  readonly joined?: boolean;
}

/** What the axes show; all of the curves unless given. */
export interface Axes {
  readonly xRange?: readonly [number, number] | undefined;
  readonly yRange?: readonly [number, number] | undefined;
}

/** The colour of a domain by slot, or of a pCPU or run queue by number. */
export function seriesColor(index: number): string {
  return `series-${index % DOMAIN_SLOTS}`;
}

/** The looks of curves that belong to domains: in the colour of each, and told apart where they share one. */
export function domainLooks(
  doms: readonly number[],
  slotOf: (dom: number) => number,
): Required<Pick<Series, 'color' | 'nth'>>[] {
  const used = new Map<number, number>();
  return doms.map((dom) => {
    const slot = slotOf(dom);
    const nth = used.get(slot) ?? 0;
    used.set(slot, nth + 1);
    return { color: seriesColor(slot), nth };
  });
}

/** Whether there is a line to draw: two points of one curve. */
export function hasLine(series: readonly Series[]): boolean {
  return series.some(({ y }) => y.filter((value) => value !== null).length > 1);
}

/** Where a value stands between gaps: no line leads to it. Undefined is no gap, but a place of another curve. */
export function lonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const lone: number[] = [];
  let [candidate, afterGap] = [-1, true];
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === undefined) continue;
    if (value === null) {
      if (candidate >= 0) lone.push(candidate);
      [candidate, afterGap] = [-1, true];
    } else {
      candidate = afterGap ? index : -1;
      afterGap = false;
    }
  }
  if (candidate >= 0) lone.push(candidate);
  return lone;
}

/** Axes for charts side by side: as high as all of their curves need. One alone follows what it shows. */
export function sharedAxes(charts: readonly (readonly Series[])[]): Axes {
  if (charts.length < 2) return {};
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { y } of charts.flat()) {
    for (const value of y) if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  return { yRange: spread(low, high) };
}

/** From 0, or from below it, to a bit above the most. */
export function spread(low: number | null, high: number | null): [number, number] {
  const [least, most] = [Math.min(0, low ?? 0), Math.max(0, high ?? 1)];
  const room = (most - least || 1) * 0.05;
  return [least < 0 ? least - room : 0, most + room];
}
