/**
 * The normal distribution and Student's t, as exact as doubles allow: confidence intervals need their
 * quantiles.
 * @module
 */

/**
 * P(Z <= z) of the standard normal distribution. By Marsaglia's series around 0 and a continued fraction in
 * the tails; absolute error below 1e-15. Source: G. Marsaglia, "Evaluating the Normal Distribution", Journal
 * of Statistical Software 11(4), 2004; Abramowitz and Stegun 26.2.14.
 */
export function normalCdf(z: number): number {
  if (z > 0) return 1 - normalCdf(-z);
  if (z < -38) return 0;
  const density = Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < -6) {
    let fraction = -z;
    for (let k = 60; k >= 1; k--) fraction = k / fraction - z;
    return density / fraction;
  }
  let sum = z;
  let term = z;
  for (let k = 3; Math.abs(term) > 1e-18; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return Math.max(0, 0.5 + sum * density);
}

/** The z below which the part `p` of the standard normal distribution lies; 0 < p < 1. */
export function normalQuantile(p: number): number {
  return bisect((z) => normalCdf(z), p, -38, 38);
}

/**
 * P(T <= t) of Student's t with a whole number of degrees of freedom: the finite series of Abramowitz and
 * Stegun, 26.7.3 and 26.7.4.
 */
export function studentCdf(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let series = 0;
  for (let k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
    series += term;
    term *= (cosine * cosine * (k + 1)) / (k + 2);
  }
  const within = odd ? (2 / Math.PI) * (angle + sine * series) : sine * series;
  return (1 + within) / 2;
}

/** The t below which the part `p` of Student's t lies; 0 < p < 1. */
export function studentQuantile(p: number, degrees: number): number {
  return bisect((t) => studentCdf(t, degrees), p, -1e6, 1e6);
}

/** Where a rising function has the value `target`. */
function bisect(rising: (x: number) => number, target: number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 200; step++) {
    const middle = (from + to) / 2;
    if (middle === from || middle === to) break;
    if (rising(middle) < target) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}
