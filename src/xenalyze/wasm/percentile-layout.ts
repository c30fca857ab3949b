/** What a search needs in front of the values of a sample. */
export const SCRATCH_BYTES = 4096;
