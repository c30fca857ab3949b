/** Addresses in ascending order, with how often and how long. */
export class EipList {}
