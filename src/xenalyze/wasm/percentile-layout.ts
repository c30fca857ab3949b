/** Where the values of a sample lie in the memory of percentile-search.ts, which has all of it in front of them. */
export const VALUES = 4096;
