/**
 * What things are called in Redis. A partition's keys, their index and its part of the log of batches share a hash tag, and with it
 * a slot: only what is in one slot can be changed as a whole.
 *
 *     <name>{<tag>}v:<key>    the value
 *     <name>{<tag>}i          the index: a sorted set of the keys, all of score 0, so that their order is that of their bytes
 *     <name>{<tag>}b          logged batches that began here: a hash of id and operations
 *     <name>{<tag>}d:<id>     this partition's part of that batch is done
 *     <name>{<tag>}s          while a migration fills the store: a hash of each key's stamp (see `migration-scripts.ts`)
 *     <name>{coterie}meta     what was fixed at the creation; while a migration fills the store, which one
 *
 * The tag is the smallest number whose slot lies in the partition. So a key's partition holds the slot that Redis computes for the
 * key itself, and the partition lives where this slot would, unless a boundary between masters runs through it. It is a stored
 * format: it must never change.
 */

import type { Key, PartitionId, Slot } from '../../protocol/ids.js'
import { partitionOf, slotOf } from '../../protocol/ring/slot.js'

export class KeyNames {
  readonly meta: Buffer
  readonly #prefixes: readonly Buffer[]
  readonly #slots: readonly Slot[]

  constructor(name: string, partitions: number) {
    const tags = tagsOf(partitions)
    this.#slots = tags.map((tag) => slotOf(`{${tag}}`))
    this.#prefixes = tags.map((tag) => Buffer.from(`${name}{${tag}}`))
    this.meta = metaKey(name)
  }

  /** That holds the whole partition. */
  slot(partition: PartitionId): Slot {
    return this.#slots[partition] as Slot
  }

  value(partition: PartitionId, key: Key): Buffer {
    return Buffer.concat([this.valuePrefix(partition), Buffer.from(key, 'latin1')])
  }

  valuePrefix(partition: PartitionId): Buffer {
    return this.#named(partition, 'v:')
  }

  index(partition: PartitionId): Buffer {
    return this.#named(partition, 'i')
  }

  stamps(partition: PartitionId): Buffer {
    return this.#named(partition, 's')
  }

  batches(partition: PartitionId): Buffer {
    return this.#named(partition, 'b')
  }

  done(partition: PartitionId, batch: string): Buffer {
    return this.#named(partition, `d:${batch}`)
  }

  #named(partition: PartitionId, rest: string): Buffer {
    return Buffer.concat([this.#prefixes[partition] as Buffer, Buffer.from(rest)])
  }
}

export function metaKey(name: string): Buffer {
  return Buffer.from(`${name}{coterie}meta`)
}

/** Where it lives. */
export const META_SLOT: Slot = slotOf('{coterie}')

function tagsOf(partitions: number): string[] {
  const tags: string[] = Array.from({ length: partitions })
  let missing = partitions
  for (let number = 0; missing > 0; number++) {
    const tag = String(number)
    const partition = partitionOf(tag, partitions)
    if (tags[partition] !== undefined) continue
    tags[partition] = tag
    missing -= 1
  }
  return tags
}
