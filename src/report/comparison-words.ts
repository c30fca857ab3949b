/**
 * What a comparison's figures are called and how their values and differences read.
 * @module
 */
import {
  type KeyCell,
  type Metric,
  marginOf,
  type TraceComparison,
  type VariantComparison,
  worth,
} from '../compare/index.ts';
import { DOM_IDLE } from '../timeline/index.ts';
import { formatCount, formatNs, formatPercent, NOT_AVAILABLE } from './quantities.ts';

/** Domain -> its name, where it is known. */
export type DomainNames = ReadonlyMap<number, string>;

/** What the figure is about, empty for the whole host: `web`, `web v0, preempt`, `pcpu 2`. */
export function subjectOf({ key, told }: Metric, names: DomainNames): string {
  const texts: string[] = [];
  for (const cell of key) {
    if (told.includes(cell.column)) continue;
    if (/vcpu$/.test(cell.column) && texts.length > 0) texts[texts.length - 1] += ` v${cell.value}`;
    else if (cell.unit === 'dom') texts.push(domText(cell, names));
    else if (cell.unit === 'ns' && typeof cell.value === 'number')
      texts.push(`${cell.column.replace(/_ns$/, '')} ${formatNs(cell.value)}`);
    else if (typeof cell.value === 'number') texts.push(`${cell.column.replaceAll('_', ' ')} ${cell.value}`);
    else texts.push(`${cell.value}`);
  }
  return texts.join(', ');
}

function domText({ column, value }: KeyCell, names: DomainNames): string {
  const number = value === DOM_IDLE ? 'idle' : `d${value}`;
  const name = typeof value === 'number' ? (names.get(value) ?? number) : `${value}`;
  const role = column.replace(/_?dom$/, '').replaceAll('_', ' ');
  return role === '' ? name : `${role} ${name}`;
}

/** The figure in full: `web: p99 wake wait`. */
export function figureText(metric: Metric, names: DomainNames): string {
  const subject = subjectOf(metric, names);
  return subject === '' ? metric.words : `${subject}: ${metric.words}`;
}

/** A value of a figure, or a mean of it. */
export function valueText(value: number | null, { name, unit }: Metric): string {
  if (value === null) return NOT_AVAILABLE;
  if (unit === 'ns') return formatNs(value);
  if (unit === 'ratio') return isIndex(name) ? value.toFixed(4) : formatPercent(value);
  if (unit === 'per_s') return `${numberText(value)} /s`;
  if (unit === 'percent') return `${numberText(value)} %`;
  return numberText(value);
}

/** How far a value lies from another, without its sign: `30.00 ms`, `3.1 points`, `0.0123`. */
export function distanceText(distance: number, { name, unit }: Metric): string {
  const size = Math.abs(distance);
  if (unit === 'ratio' && !isIndex(name)) return `${pointsText(size)} points`;
  if (unit === 'ratio') return size.toFixed(4);
  return valueText(size, { name, unit } as Metric);
}

/** Between 0 and 1, 1 being the best: not a part of anything. */
function isIndex(name: string): boolean {
  return /^(jain|gini|cov|max_min)(_|$)/.test(name);
}

function pointsText(ratio: number): string {
  const points = ratio * 100;
  if (points >= 0.05 || points === 0) return points.toFixed(1);
  return points >= 0.0005 ? points.toFixed(3) : '<0.001';
}

function numberText(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return formatCount(Math.round(value));
  return size >= 1 ? value.toPrecision(4).replace(/\.?0+$/, '') : value.toPrecision(3);
}

/** A difference in words with its confidence interval in the same unit, both without sign. */
export interface Difference {
  /** `11.2x lower`, `37.1 % higher`, `3.1 points lower`. */
  readonly words: string;
  /** `[9.8, 12.9]`; empty where there is none. */
  readonly interval: string;
}

/** Of a wait of less than a microsecond another one is a thousand times as long at once. */
const TIMES_NS_MIN = 1000;

function hasTimes({ metric, baselineMean, variantMean }: VariantComparison): boolean {
  if (metric.unit === 'ratio') return false;
  return metric.unit !== 'ns' || Math.min(baselineMean ?? 0, variantMean ?? 0) >= TIMES_NS_MIN;
}

/** A ratio that is known no better says less than the difference does. */
const RATIO_SPREAD_MAX = 20;

/**
 * By how much a variant's mean differs: in times from twice on, in percent below, in the figure's own unit
 * where a ratio says little: of shares (points), and where the baseline is 0 or nearly so.
 */
export function differenceOf(comparison: VariantComparison): Difference {
  const { metric, ratio, ratioInterval, difference, differenceInterval } = comparison;
  if (difference === null) return { words: NOT_AVAILABLE, interval: '' };
  if (comparison.verdict === 'same') return { words: 'none', interval: '' };
  const direction = difference < 0 ? 'lower' : 'higher';
  const bounds = ratioInterval ?? (ratio === null ? null : { low: ratio, high: ratio });
  const isBounded = bounds !== null && bounds.low > 0 && bounds.high <= RATIO_SPREAD_MAX * bounds.low;
  if (hasTimes(comparison) && ratio !== null && ratio > 0 && isBounded) {
    const times = ratio < 1 ? 1 / ratio : ratio;
    if (times >= 2) {
      const ends = ratio < 1 ? [1 / bounds.high, 1 / bounds.low] : [bounds.low, bounds.high];
      const words = `${timesText(times)}x ${direction}`;
      return { words, interval: ratioInterval ? `[${ends.map(timesText).join(', ')}]` : '' };
    }
    const sign = ratio < 1 ? -1 : 1;
    const ends = [bounds.low, bounds.high].map((bound) => sign * (bound - 1) * 100).sort((a, b) => a - b);
    const words = `${percentText((times === ratio ? ratio - 1 : 1 - ratio) * 100)} % ${direction}`;
    return { words, interval: ratioInterval ? `[${ends.map(percentText).join(', ')}]` : '' };
  }
  const sign = difference < 0 ? -1 : 1;
  const ends = differenceInterval
    ? [differenceInterval.low * sign, differenceInterval.high * sign].sort((a, b) => a - b)
    : null;
  return {
    words: `${distanceText(difference, metric)} ${direction}`,
    interval: ends ? `[${ends.map((end) => signedDistance(end, metric)).join(', ')}]` : '',
  };
}

function signedDistance(distance: number, metric: Metric): string {
  const text = distanceText(distance, metric).replace(/ points$/, '');
  return distance < 0 ? `-${text}` : text;
}

function timesText(times: number): string {
  return times >= 100 ? formatCount(Math.round(times)) : times.toFixed(times >= 10 ? 1 : 2);
}

function percentText(percent: number): string {
  return percent.toFixed(Math.abs(percent) >= 10 ? 0 : 1).replace(/^-(0(\.0)?)$/, '$1');
}

/** `better`, `lower`, `no difference shown`, ... */
export function verdictText(comparison: VariantComparison, part: number): string {
  const { verdict, metric, baselineMean } = comparison;
  switch (verdict) {
    case 'same':
      return 'the same';
    case 'equal':
      return `equal within ${marginText(metric, baselineMean ?? 0, part)}`;
    case 'unclear':
      return 'no difference shown';
    case 'unknown':
      return NOT_AVAILABLE;
    default:
      return worth(verdict, metric.better) ?? verdict;
  }
}

/** `2 %`, or the least margin of the figure's unit: `1 us`, `0.1 points`. */
function marginText(metric: Metric, baselineMean: number, part: number): string {
  const { size, least } = marginOf(metric.unit, baselineMean, part);
  return least ? distanceText(size, metric).replace('.000', '') : partText(part);
}

export function partText(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`;
}

/**
 * A verdict as a sentence without its end: `web: credit2's p99 wake wait is 11.2x lower than credit's [9.80,
 * 12.9], 30 seeds: better`.
 */
export function verdictSentence(comparison: VariantComparison, names: DomainNames, of: number): string {
  const { metric, verdict, variant, baseline } = comparison;
  const subject = subjectOf(metric, names);
  const { words, interval } = differenceOf(comparison);
  const value = worth(verdict as 'lower' | 'higher', metric.better);
  const rests = comparison.p === null ? '' : `, ${seedsText(comparison.seeds, of)}`;
  // Of differences that are all equal there is no interval to tell.
  const how = comparison.p !== null && comparison.cohensD === null ? ' in every run' : ` ${interval}`;
  return (
    `${subject === '' ? '' : `${subject}: `}${genitive(variant)} ${metric.words} is ${words} than ` +
    `${genitive(baseline)}${how.trimEnd()}${rests}${value ? `: ${value}` : ''}`
  );
}

export function seedsText(seeds: number, of: number): string {
  return seeds === of ? `${of} seeds` : `the ${seeds} of ${of} seeds that have it`;
}

function genitive(name: string): string {
  return `${name}'s`;
}

/** A ratio: `0.0164`, `2.34`, `22,500`. */
export function ratioText(ratio: number | null): string {
  if (ratio === null) return '-';
  if (ratio >= 100) return formatCount(Math.round(ratio));
  return ratio === 0 || ratio >= 0.001 ? ratio.toPrecision(3) : '<0.001';
}

/** What became of a trace's figure. */
export function changeText({ change }: TraceComparison): string {
  if (change === 'only_baseline') return 'only in the first';
  if (change === 'only_other') return 'only in the second';
  return change === 'unknown' ? NOT_AVAILABLE : change;
}
