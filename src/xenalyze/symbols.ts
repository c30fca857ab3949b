/** Names for guest addresses. */
export interface SymbolTable {
  /** ` (name +offset)` as in dumped lines; empty without a symbol file. */
  find(addressHigh: number, addressLow: number): string;
}
