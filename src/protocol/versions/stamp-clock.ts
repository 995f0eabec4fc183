/**
 * The clock of stamps as arithmetic, so that it is one and the same on real threads and in the simulator.
 *
 * A process has one clock: its monotonic one plus an offset that is fixed at opening. No stamp goes past the ceiling that is on
 * disk, and the next process begins above both that ceiling and its wall clock:
 *   1. a process stamps up to T and is killed   2. the wall clock is set back   3. a new process begins at its wall time
 * Without the ceiling, what it writes would lose to what was written before.
 *
 * It reads no clock. Called by `actors/runtime/clock.ts` and `src/sim`.
 */

/** Added to the monotonic clock of a process that opens the cluster. Units: nanoseconds. */
export function openingOffsetNs(at: {
  readonly storedCeilingNs: bigint
  readonly wallNs: bigint
  readonly monotonicNs: bigint
}): bigint {
  const { storedCeilingNs, wallNs, monotonicNs } = at
  const isBehind = wallNs < storedCeilingNs
  return (isBehind ? storedCeilingNs : wallNs) - monotonicNs
}

/** May a stamp be given now? Only up to what is on disk. */
export function mayStamp(nowNs: bigint, ceilingNs: bigint): boolean {
  return nowNs <= ceilingNs
}

/** The ceiling that is to be written now; undefined: the one on disk is high enough. */
export function ceilingDueNs(
  nowNs: bigint,
  ceilingNs: bigint,
  { aheadNs, renewNs }: { readonly aheadNs: bigint; readonly renewNs: bigint },
): bigint | undefined {
  return ceilingNs - nowNs > renewNs ? undefined : nowNs + aheadNs
}
