import type { DomainParameters } from '../../scheduler.ts';
import { type BcreditDomain, type BcreditSystem, boostCreditOf } from './state.ts';

const DEFAULT_WEIGHT = 256;
/** What a parameter of this value means to Xen: leave it. */
const UNCHANGED = 65_535;
const MAX_BOOST_PERIOD_MIN_MS = 30;

/**
 * bcsched_dom_cntl(): never refuses as a whole. What it does not take it passes over without a word, in the
 * order weight, cap, period, ratio: what is set before counts for what comes behind.
 */
export function applySettings(system: BcreditSystem, domain: BcreditDomain, asked: DomainParameters): void {
  const {
    weight = 0,
    cap = UNCHANGED,
    maxBoostPeriodMs: periodMs = UNCHANGED,
    boostRatio = UNCHANGED,
  } = asked;
  const mayWeigh = domain.boostRatio === 0 || boostRatio === 0;
  let newWeight = weight !== 0 && mayWeigh ? weight : UNCHANGED;
  if (cap !== UNCHANGED) domain.cap = cap;
  if (periodMs !== UNCHANGED && (periodMs === 0 || periodMs >= MAX_BOOST_PERIOD_MIN_MS)) {
    domain.maxBoostPeriodMs = periodMs;
  }
  if (isRatioTaken(system, domain, boostRatio)) {
    setRatio(system, domain, boostRatio);
    if (halfWord(boostCreditOf(boostRatio)) !== 0) newWeight = 0;
    else if (domain.weight === 0) newWeight = DEFAULT_WEIGHT;
  }
  if (newWeight === UNCHANGED) return;
  if (!domain.active.isAlone) system.weight += newWeight - domain.weight;
  domain.weight = newWeight;
}

/** Admission: the ratios of all domains together are at most what the pCPUs can give. */
function isRatioTaken(
  { totalBoostRatio, pcpuCount }: BcreditSystem,
  domain: BcreditDomain,
  ratio: number,
): boolean {
  if (ratio === UNCHANGED) return false;
  if (totalBoostRatio - domain.boostRatio + ratio > 100 * pcpuCount) return false;
  return ratio === 0 || domain.maxBoostPeriodMs !== 0;
}

function setRatio(system: BcreditSystem, domain: BcreditDomain, ratio: number): void {
  const old = halfWord(domain.boostCreditFair);
  system.totalBoostRatio += ratio - domain.boostRatio;
  domain.boostRatio = ratio;
  if (domain.active.isAlone) return;
  system.boostCredit = (system.boostCredit - old + halfWord(domain.boostCreditFair)) >>> 0;
}

/** Here the patch keeps boost credit in a uint16_t, so that from a ratio of 219 on the upper part is lost. */
function halfWord(boostCredit: number): number {
  return boostCredit & 0xffff;
}
