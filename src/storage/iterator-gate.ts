/**
 * Keeps a thread from being ended while LevelDB makes an iterator or a snapshot for it.
 *
 * classic-level makes the iterator first and gives it to its database after that. Between the two:
 *   1. the thread is terminated by another one, and from then on every call from native code into JavaScript fails;
 *   2. the iterator is given to nobody;
 *   3. the thread's end closes the database, LevelDB finds that somebody still reads it, and aborts the whole process
 *      (`version_set.cc`: dummy_versions_.next_ == &dummy_versions_).
 *
 * So who makes one says so, and who ends the thread says that first, and waits for the other. Of two that speak at the same
 * time at least one hears the other (Dekker). It takes some microseconds; a thread that stands still in between
 * (a disk that does not answer) is not waited for for long.
 *
 * Called by whatever makes iterators of a node's store, and by `NodeThread`. In a thread that nobody ends it does nothing.
 */

const MAKING_CELL = 0
const ENDING_CELL = 1
const WAIT_MS_MAX = 250
/** Termination wakes it before. */
const STAND_STILL_MS = 5_000

/** What both threads share. */
export function createIteratorGate(): SharedArrayBuffer {
  return new SharedArrayBuffer(8)
}

let cells: Int32Array | undefined

/** In the thread, before it makes the first one. */
export function useIteratorGate(shared: SharedArrayBuffer): void {
  cells = new Int32Array(shared)
}

/** `make`: gives an iterator or a snapshot, synchronously. Does not return once the thread is being ended. */
export function throughIteratorGate<Made>(make: () => Made): Made {
  if (cells === undefined) return make()
  Atomics.store(cells, MAKING_CELL, 1)
  try {
    if (Atomics.load(cells, ENDING_CELL) !== 0) standStill(cells)
    return make()
  } finally {
    leave(cells)
  }
}

/** In the thread that ends the other one, just before it does. */
export function closeIteratorGate(shared: SharedArrayBuffer): void {
  const gate = new Int32Array(shared)
  Atomics.store(gate, ENDING_CELL, 1)
  if (Atomics.load(gate, MAKING_CELL) !== 0) Atomics.wait(gate, MAKING_CELL, 1, WAIT_MS_MAX)
}

function standStill(gate: Int32Array): void {
  leave(gate)
  Atomics.wait(gate, ENDING_CELL, 1, STAND_STILL_MS)
  throw new Error('this thread is being ended')
}

function leave(gate: Int32Array): void {
  Atomics.store(gate, MAKING_CELL, 0)
  Atomics.notify(gate, MAKING_CELL)
}
