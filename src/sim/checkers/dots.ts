/**
 * A dot, which is an actor and a number of its own for each key, names one write for ever. An actor is a node and a store: whoever
 * may have forgotten a dot is another one. Of `siblings` only.
 */

import type { NodeId } from '../../protocol/ids.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { Stamp } from '../../protocol/versions/stamp.js'
import { Checker } from './checker.js'

export class Dots extends Checker {
  readonly name = 'dots'
  readonly rule = 'Siblings: an actor is node + random store id, its counters are per key, and no dot is given twice'
  /** key, actor, counter → stamp of the write. */
  readonly #stamps = new Map<string, Stamp>()

  onAccepted(node: NodeId, { keys, records }: StoreWrite): void {
    records.forEach((record, place) => {
      if (record.kind !== 'siblings') return
      for (const { actor, counter, siblings } of record.set)
        siblings.forEach(({ stamp }, index) => {
          const dot = `${keys[place]} ${actor}:${counter - index}`
          const known = this.#stamps.get(dot)
          if (known === undefined) this.#stamps.set(dot, stamp)
          else if (known !== stamp) this.broken(`${node} stores ${dot} for ${stamp}; it was given to ${known}`)
        })
    })
  }
}
