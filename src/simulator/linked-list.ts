/**
 * One link of a circular doubly linked list, as Xen's struct list_head: the head of a list is a link without
 * an owner, and a link that is in no list points to itself.
 */
export class Link<T> {
  next: Link<T> = this;
  prev: Link<T> = this;
  /** What the link belongs to; undefined in the head of a list. */
  readonly owner: T | undefined;

  constructor(owner?: T) {
    this.owner = owner;
  }

  /** For a head: nothing in the list. For a member: in no list. */
  get isAlone(): boolean {
    return this.next === this;
  }

  /** Puts this link behind `at` (list_add). */
  insertAfter(at: Link<T>): void {
    this.prev = at;
    this.next = at.next;
    at.next.prev = this;
    at.next = this;
  }

  /** Puts this link before `at` (list_add_tail). */
  insertBefore(at: Link<T>): void {
    this.insertAfter(at.prev);
  }

  /** Takes this link out of its list (list_del_init). */
  remove(): void {
    this.prev.next = this.next;
    this.next.prev = this.prev;
    this.next = this;
    this.prev = this;
  }
}
