/**
 * What will happen in a simulated world, by time: a binary heap. Of two at the same time, the one that was added first.
 *
 * Called by `SimWorld`; decides nothing.
 */

interface Due {
  readonly atMs: number
  readonly sequence: number
  readonly run: () => void
}

export class EventQueue {
  readonly #heap: Due[] = []
  #sequence = 0

  /** Time of the next one; Infinity: there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  add(atMs: number, run: () => void): void {
    const heap = this.#heap
    const due = { atMs, sequence: this.#sequence++, run }
    let place = heap.length
    heap.push(due)
    while (place > 0) {
      const parent = (place - 1) >>> 1
      if (!isBefore(due, heap[parent] as Due)) break
      heap[place] = heap[parent] as Due
      place = parent
    }
    heap[place] = due
  }

  /** Removes the next one. Errors: asserts that there is one. */
  take(): () => void {
    const heap = this.#heap
    const first = heap[0] as Due
    const last = heap.pop() as Due
    if (heap.length > 0) this.#sink(last)
    return first.run
  }

  #sink(due: Due): void {
    const heap = this.#heap
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child += 1
      if (!isBefore(heap[child] as Due, due)) break
      heap[place] = heap[child] as Due
      place = child
    }
    heap[place] = due
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
