/** Which records are damaged, as they lie on the disk, or have been found to be lately. A part of `Availability`. */

import type { Notice } from '../../protocol/effects.js'
import type { Address, Key, NodeId } from '../../protocol/ids.js'
import type { SupervisorNotice } from '../../protocol/supervision/supervisor-events.js'
import type { SimWorld } from '../world.js'
import { stored } from './checker.js'

export class Damage {
  /** node, key → when it was last told to be damaged, or healed. */
  readonly #toldAtMs = new Map<string, number>()

  onNotice(from: Address, notice: Notice | SupervisorNotice, nowMs: number): void {
    if (notice.type === 'record/damaged' || notice.type === 'record/healed')
      this.#toldAtMs.set(`${from} ${notice.key}`, nowMs)
  }

  isDamagedSince(node: NodeId, key: Key, sinceMs: number, world: SimWorld): boolean {
    const toldAtMs = this.#toldAtMs.get(`${node} ${key}`) ?? Number.NEGATIVE_INFINITY
    return toldAtMs >= sinceMs || stored(world, node, key) === 'damaged'
  }
}
