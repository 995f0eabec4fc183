/**
 * Faults that stop a thread from within: only ever reached through `cluster.faults`, which needs `faults: true`.
 */

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
