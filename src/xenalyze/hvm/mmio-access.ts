/** An access to memory of a device that an exit is about. Its area is its own, since many exits may use it. */
export class Mmio {
  gpaHigh = 0;
  gpaLow = 0;
  /** Known to shadow/ only. */
  vaHigh = 0;
  vaLow = 0;
  data = 0;
  dataValid = false;
  isWrite = false;

  clear(): void {
    this.gpaHigh = 0;
    this.gpaLow = 0;
    this.vaHigh = 0;
    this.vaLow = 0;
    this.data = 0;
    this.dataValid = false;
    this.isWrite = false;
  }
}
