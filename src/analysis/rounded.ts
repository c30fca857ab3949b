/** A rate or mean to so many decimals, since people read it as it is; null stays null. */
export function rounded(value: number | null, decimals: number): number | null {
  const scale = 10 ** decimals;
  return value === null ? null : Math.round(value * scale) / scale;
}
