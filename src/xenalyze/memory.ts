/** What a domain did with memory. */
export class MemoryCounts {}
