/**
 * Between a simulated node's core and its disk, as `WriteGate` and `NodeCut` are on real threads: while it is closed, writes wait and
 * reads go on. It opens by itself after a while. Lives as long as the thread. Called by `SimNode` and `SimCut`.
 */

import type { DiskWork } from './sim-disk.js'

export class SimGate {
  #held: DiskWork[] = []
  #closedBy: number | undefined
  #drained: (() => void)[] = []

  /** True: it waits here. */
  holds(work: DiskWork): boolean {
    if (this.#closedBy === undefined || work.type !== 'store/write') return false
    this.#held.push(work)
    return true
  }

  isClosedBy(cut: number): boolean {
    return this.#closedBy === cut
  }

  /** `onDrained`: nothing that was given before is on its way any more. */
  close(cut: number, isDrained: boolean, onDrained: () => void): void {
    this.#closedBy = cut
    if (isDrained) onDrained()
    else this.#drained.push(onDrained)
  }

  onDrained(): void {
    for (const tell of this.#drained.splice(0)) tell()
  }

  /** What waited. Nothing if it is not closed by this cut. */
  open(cut: number): readonly DiskWork[] {
    if (this.#closedBy !== cut) return []
    this.#closedBy = undefined
    return this.#held.splice(0)
  }
}
