/**
 * Where a key lives: Redis Cluster's hash slot, and the partition that the slot falls into.
 *
 * The slot is part of the stored format and of what a client of Redis Cluster computes for itself; it must never change.
 * Called for every key of every request, on both sides: it allocates nothing and cuts no substring.
 */

import { assert } from '../assert.js'
import type { Key, PartitionId, Slot } from '../ids.js'

/** Hash slots of a cluster. */
export const SLOTS = 16384

/** Fewest partitions of a cluster; the most is SLOTS. */
const PARTITIONS_MIN = 16

/** CRC16-XMODEM of every byte: polynomial 0x1021, initial value 0, nothing reflected. */
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})

/**
 * The slot of a key: CRC16 of the key, or of its hash tag where it has one, mod 16384.
 *
 * The tag is what stands between the first `{` and the first `}` after it, if that is at least one char; keys with one
 * tag share a slot.
 *
 * Units:  0…16383. The key is a binary string, chars 0…255; of a higher char only the low byte would count.
 * Errors: none.
 * Source: Redis Cluster specification, "Hash tags" and appendix A.
 */
export function slotOf(key: Key): Slot {
  const open = key.indexOf('{')
  if (open !== -1) {
    const close = key.indexOf('}', open + 1)
    if (close > open + 1) return crc16(key, open + 1, close) & (SLOTS - 1)
  }
  return crc16(key, 0, key.length) & (SLOTS - 1)
}

/** CRC16-XMODEM of the chars from … to − 1 of a binary string. */
export function crc16(text: string, from = 0, to = text.length): number {
  let crc = 0
  for (let index = from; index < to; index++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16_TABLE[(crc >>> 8) ^ (text.charCodeAt(index) & 0xff)] as number)
  }
  return crc
}

/** The partition of a key. Errors: asserts a valid partition count. */
export function partitionOf(key: Key, partitions: number): PartitionId {
  return partitionOfSlot(slotOf(key), partitions)
}

/** The partition of a slot: its highest log2(partitions) bits. Errors: asserts a valid partition count. */
export function partitionOfSlot(slot: Slot, partitions: number): PartitionId {
  // The branch first: building the facts for every key would be the hot path's only allocation.
  if (!isPartitionCount(partitions)) assert(false, 'the partition count is a power of two, 16…16384', { partitions })
  return slot >> (Math.clz32(partitions) - Math.clz32(SLOTS))
}

/** A power of two, 16…16384: what a cluster may be created with. */
export function isPartitionCount(partitions: number): boolean {
  const inRange = Number.isInteger(partitions) && partitions >= PARTITIONS_MIN && partitions <= SLOTS
  return inRange && (partitions & (partitions - 1)) === 0
}
