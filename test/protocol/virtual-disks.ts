/** The disks of a virtual world's nodes, and what a test looks up or plants on them, past the protocol. */

import type { Key, NodeId } from '../../src/protocol/ids.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { createMemoryDisk, type MemoryDisk, MemoryStore } from '../../src/storage/memory-store.js'

export abstract class VirtualDisks {
  readonly disks = new Map<NodeId, MemoryDisk>()
  /** Their stores refuse every write. */
  readonly fullDisks = new Set<NodeId>()

  protected abstract get partitions(): number
  /** The shared clock: no two readings are equal. */
  abstract clockNs(): bigint

  protected addDisks(ids: readonly NodeId[]): void {
    ids.forEach((id, index) => {
      this.disks.set(id, createMemoryDisk(index.toString(16).padStart(16, '0')))
    })
  }

  /** What the node's disk holds under the key: as `end`, or `damaged`. */
  stored(id: NodeId, key: Key): string {
    const store = new MemoryStore({ disk: this.disks.get(id) as MemoryDisk, partitions: this.partitions })
    const [record] = store.read([key])
    return record === 'damaged' ? 'damaged' : textOf(record)
  }

  hintsOf(id: NodeId): number {
    return this.disks.get(id)?.hints.size ?? 0
  }

  /** Puts a record on one disk, past the protocol, with a stamp of now. */
  plant(id: NodeId, key: Key, text: string): void {
    const store = new MemoryStore({ disk: this.disks.get(id) as MemoryDisk, partitions: this.partitions })
    const record = {
      kind: 'lww' as const,
      stamp: makeStamp(this.clockNs(), 0, 'test'),
      value: new TextEncoder().encode(text),
    }
    store.accept({ keys: [key], records: [record], liveKeysDelta: 1 })
  }

  damage(id: NodeId, key: Key): void {
    const records = this.disks.get(id)?.records
    const bytes = Uint8Array.from(records?.get(key) ?? [0])
    bytes.set([(bytes.at(-1) ?? 0) ^ 0xff], bytes.length - 1)
    records?.set(key, bytes)
  }
}

/** `none`, or `=` and the values; a tombstone is `deleted`. */
export function textOf(record: VersionRecord | undefined): string {
  if (record === undefined) return 'none'
  const values =
    record.kind === 'lww' ? [record.value] : record.set.flatMap(({ siblings }) => siblings.map((s) => s.value))
  const texts = values.map((value) => (value === null ? 'deleted' : new TextDecoder().decode(value)))
  return `=${texts.sort().join('|')}`
}
