/**
 * What is to happen in virtual time, the earliest first; of two at one time, the one that was added first. A binary heap:
 * a thousand members have tens of thousands of messages under way.
 */

interface Entry<Event> {
  readonly atMs: number
  readonly sequence: number
  readonly event: Event
}

export class EventQueue<Event> {
  readonly #heap: Entry<Event>[] = []
  #sequence = 0

  /** Units: virtual ms. */
  add(atMs: number, event: Event): void {
    const entry = { atMs, sequence: this.#sequence++, event }
    let at = this.#heap.length
    this.#heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isEarlier(entry, this.#heap[parent])) break
      this.#heap[at] = this.#heap[parent] as Entry<Event>
      at = parent
    }
    this.#heap[at] = entry
  }

  /** Takes out the earliest; undefined if nothing is due by then. */
  takeUntil(limitMs: number): { readonly atMs: number; readonly event: Event } | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.atMs > limitMs) return undefined
    const last = this.#heap.pop() as Entry<Event>
    if (this.#heap.length > 0) this.#sink(last)
    return first
  }

  #sink(entry: Entry<Event>): void {
    let at = 0
    while (true) {
      const left = 2 * at + 1
      if (left >= this.#heap.length) break
      const right = left + 1
      const child =
        right < this.#heap.length && isEarlier(this.#heap[right] as Entry<Event>, this.#heap[left]) ? right : left
      if (!isEarlier(this.#heap[child] as Entry<Event>, entry)) break
      this.#heap[at] = this.#heap[child] as Entry<Event>
      at = child
    }
    this.#heap[at] = entry
  }
}

function isEarlier<Event>(a: Entry<Event>, b: Entry<Event> | undefined): boolean {
  if (b === undefined) return true
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.sequence < b.sequence
}
