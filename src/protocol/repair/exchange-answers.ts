/**
 * The side of an exchange that is asked: which of these hashes are not equal to mine, which of these records do I hold in another
 * version, which do you lack, which do I?
 *
 * Keeps no state but the scans that run. Called by `Exchange`.
 */

import { EXCHANGE_KEYS } from '../config.js'
import type { ExchangeCompare, ExchangeDiffer, ExchangeHashes, ExchangeUnequal } from '../exchange-messages.js'
import type { Address, Key, PartitionId } from '../ids.js'
import { REPLY } from '../messages.js'
import type { StorePage, StoreScan } from '../store-contract.js'
import { type VersionRecord, versionHash } from '../versions/record.js'
import type { MerkleForest } from './merkle-forest.js'

export class ExchangeAnswers {
  readonly #forest: MerkleForest
  readonly #current: (key: Key) => VersionRecord | undefined
  readonly #serving = new Map<number, { readonly from: Address; readonly message: ExchangeCompare }>()

  /** `current`: what the store has of a key now. */
  constructor(forest: MerkleForest, current: (key: Key) => VersionRecord | undefined) {
    this.#forest = forest
    this.#current = current
  }

  /** `isOurs`: may this node speak for the partition? */
  answerHashes(message: ExchangeHashes, isOurs: (partition: PartitionId) => boolean): ExchangeUnequal {
    const { level, partitions, nodes, lows, highs } = message
    const reply = { type: 'exchange/unequal' as const, replyTo: message.id }
    if (!partitions.every(isOurs)) return { ...reply, status: REPLY.stale, places: [], blind: [] }
    const blind = [...new Set(partitions)].filter((partition) => !this.#forest.isTrusted(partition))
    const places: number[] = []
    partitions.forEach((partition, place) => {
      const node = nodes[place] ?? 0
      const isEqual =
        this.#forest.low(partition, level, node) === lows[place] &&
        this.#forest.high(partition, level, node) === highs[place]
      if (!isEqual && !blind.includes(partition)) places.push(place)
    })
    return { ...reply, status: REPLY.ok, places, blind }
  }

  /** The scan that answers; undefined: it is not ours to answer. */
  onCompare(
    from: Address,
    message: ExchangeCompare,
    isOurs: (partition: PartitionId) => boolean,
    token: number,
  ): StoreScan | undefined {
    if (!message.partitions.every(isOurs)) return undefined
    this.#serving.set(token, { from, message })
    const { after, to, bytesMax, partitions, leaves } = message
    const begin = after === undefined ? {} : { from: after, fromExclusive: true }
    const range = { ...begin, ...(to === undefined ? {} : { to }), reverse: false }
    const scan = { range, limit: EXCHANGE_KEYS * 8, bytesMax: bytesMax * 4, partitions }
    return leaves === undefined ? scan : { ...scan, leaves }
  }

  /** Undefined if the scan was not one of ours. `damaged`: to be healed. */
  onScanned(
    token: number,
    page: StorePage,
  ): { readonly to: Address; readonly message: ExchangeDiffer; readonly damaged: readonly Key[] } | undefined {
    const served = this.#serving.get(token)
    if (served === undefined) return undefined
    this.#serving.delete(token)
    const { from, message } = served
    const theirs = new Map(message.keys.map((key, index) => [key, message.versions[index] ?? 0]))
    const keys: Key[] = []
    const records: VersionRecord[] = []
    const damaged: Key[] = []
    page.keys.forEach((key, index) => {
      const record = page.records[index]
      if (record === 'damaged') damaged.push(key)
      else if (record !== undefined) {
        // A page may be old: what has been forgotten since must not be sent.
        const current = theirs.get(key) === versionHash(record) ? undefined : this.#current(key)
        if (current !== undefined) {
          keys.push(key)
          records.push(current)
        }
        theirs.delete(key)
      }
    })
    // A page that ended early says nothing of what lies beyond: that is compared by the next range.
    const isWhole = page.next === undefined || page.next === message.to
    const end = isWhole ? message.to : page.next
    const lacking = [...theirs.keys()].filter((key) => isWhole || key <= (page.next ?? key))
    const reply = { type: 'exchange/differ' as const, replyTo: message.id, status: REPLY.ok, keys, records, lacking }
    return { to: from, message: end === undefined ? reply : { ...reply, to: end }, damaged }
  }
}
