/**
 * Faults that stop a thread from within: only ever reached through `cluster.faults`, which needs `faults: true`.
 */

/**
 * Runs `stop` after the answer to the control call that asked for it has left, and before anything else is handled:
 * whoever asked learns that the fault is in effect, and what is sent from then on is not heard before it ends.
 *
 * Comlink posts its answer from a chain of microtasks. A tick asked for by a microtask comes after all of them, and
 * before the loop's next event.
 */
export function afterTheAnswer(stop: () => void): void {
  queueMicrotask(() => process.nextTick(stop))
}

/** An endless loop: uses the CPU, hears nothing. Ends after `ms`, or when the cell is set (`heal`). */
export function hangThread(ms: number, over: SharedArrayBuffer | undefined): void {
  const cell = new Int32Array(over ?? new SharedArrayBuffer(4))
  const endNs = process.hrtime.bigint() + BigInt(Math.round(ms * 1e6))
  while (process.hrtime.bigint() < endNs && Atomics.load(cell, 0) === 0);
}

/** Stands still without using the CPU. Ends after `ms`, or when the cell is set and notified (`heal`). */
export function pauseThread(ms: number, over: SharedArrayBuffer | undefined): void {
  Atomics.wait(new Int32Array(over ?? new SharedArrayBuffer(4)), 0, 0, ms)
}
