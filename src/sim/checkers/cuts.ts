/**
 * A backup's cut: what was acknowledged before it is in it, and with whatever is in it everything that had been acknowledged when
 * that began; nothing that began after it. Of `lww`, and of strict writes only.
 */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key, PartitionId } from '../../protocol/ids.js'
import { partitionOf } from '../../protocol/ring/slot.js'
import { ownersNeededFor, partitionsShort } from '../../protocol/supervision/cut-core.js'
import { mergeRecords, type VersionRecord } from '../../protocol/versions/record.js'
import { type Stamp, stampTimeNs } from '../../protocol/versions/stamp.js'
import { decodeHint } from '../../storage/entry-codec.js'
import { decodeRecord } from '../../storage/record-codec.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { TakenCut } from '../sim-cut.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

interface Write {
  readonly key: Key
  readonly text: string
  readonly calledAtMs: number
  /** Infinity: it was not acknowledged, or not strictly. */
  endedAtMs: number
}

/** What a restored cluster would show of a key; no text: it is deleted. */
interface Shown {
  readonly stamp: Stamp
  readonly text: string | undefined
}

export class Cuts extends Checker {
  readonly name = 'cuts'
  readonly rule = 'Backup: no later write is in the cut without an earlier acknowledged one'
  readonly #now: () => number
  readonly #writes: Write[] = []
  readonly #open = new Map<number, Write[]>()
  /** key, text → its stamp; the lowest, where the same was written again. */
  readonly #stamps = new Map<string, Stamp>()
  /** The highest stamp of a delete. */
  readonly #deletes = new Map<Key, Stamp>()
  readonly #decoder = new TextDecoder()

  constructor(report: ConstructorParameters<typeof Checker>[0], now: () => number) {
    super(report)
    this.#now = now
  }

  onCall(call: Call): void {
    if (call.kind !== 'put') return
    const writes = call.keys.flatMap((key, place) => {
      const text = call.texts[place]
      const times = { calledAtMs: call.calledAtMs, endedAtMs: Number.POSITIVE_INFINITY }
      return text == null ? [] : [{ key, text, ...times }]
    })
    this.#writes.push(...writes)
    this.#open.set(call.number, writes)
  }

  onEnd(call: Call, outcome: OperationOutcome): void {
    if (outcome.type === 'written' && !call.sloppy)
      for (const write of this.#open.get(call.number) ?? []) write.endedAtMs = this.#now()
    this.#open.delete(call.number)
  }

  onSend({ message }: Mail): void {
    if (message.type === 'replica/write') this.#learn(message.keys, message.records)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests) if (request.kind === 'put') this.#learn(request.keys, request.records)
  }

  onCut(cut: TakenCut, world: SimWorld): void {
    const { startedAtMs, ended } = cut
    if (ended.partitions.length > 0) return
    const endedAtMs = this.#now()
    const contentOf = this.#contentOf(cut, world)
    let latestMs = startedAtMs
    for (const [name, calledAtMs] of this.#begun()) {
      const [key = '', text] = name.split('\n')
      const shown = contentOf(key)
      if (shown === 'unknown' || shown?.text !== text) continue
      if (calledAtMs > endedAtMs)
        this.broken(`${key}=${text} is in the cut of ${endedAtMs}, and was called at ${calledAtMs}`)
      latestMs = Math.max(latestMs, calledAtMs)
    }
    for (const write of this.#writes) {
      const stamp = this.#stamps.get(nameOf(write))
      const found = contentOf(write.key)
      if (write.endedAtMs >= latestMs || stamp === undefined || found === 'unknown') continue
      if ((found?.stamp ?? '') < stamp && !this.#isForgotten(write.key, stamp, world))
        this.broken(
          `${write.key}=${write.text} was acknowledged at ${write.endedAtMs}; the cut has something of ${latestMs}, and ${found?.text ?? 'nothing'} there`,
        )
    }
  }

  /** It may have been deleted since, so long ago that the delete is not remembered either. */
  #isForgotten(key: Key, stamp: Stamp, { options, clock, nowMs }: SimWorld): boolean {
    const { tombstoneGraceMs } = options.config
    const deleted = this.#deletes.get(key)
    if (tombstoneGraceMs === 0 || deleted === undefined || deleted < stamp) return false
    return stampTimeNs(deleted) < clock.readNs(nowMs) - BigInt(tombstoneGraceMs) * 1_000_000n
  }

  /** When each text was first called for. */
  #begun(): ReadonlyMap<string, number> {
    const begun = new Map<string, number>()
    for (const write of this.#writes) {
      const name = nameOf(write)
      begun.set(name, Math.min(write.calledAtMs, begun.get(name) ?? Number.POSITIVE_INFINITY))
    }
    return begun
  }

  /** As a restore merges it: of full owners, and hints of everybody. `unknown`: too few copies of its partition are undamaged. */
  #contentOf({ ended, snapshots }: TakenCut, world: SimWorld): (key: Key) => Shown | 'unknown' | undefined {
    const { config } = world.options
    const merged = new Map<Key, VersionRecord>()
    const take = (key: Key, record: VersionRecord): void => {
      const before = merged.get(key)
      merged.set(key, before === undefined ? record : mergeRecords(before, record))
    }
    const copies = ended.nodes.map((node) => {
      const damaged = new Set<PartitionId>()
      const disk = snapshots.get(node)
      for (const [key, bytes] of disk?.records ?? []) {
        const partition = partitionOf(key, config.partitions)
        if (ended.table.rows[partition]?.owners.includes(node) !== true) continue
        const record = decodeRecord(key, Buffer.from(bytes))
        if (record === 'damaged') damaged.add(partition)
        else take(key, record)
      }
      for (const [id, bytes] of disk?.hints ?? []) {
        const hint = decodeHint(id, Buffer.from(bytes))
        if (hint !== 'damaged') take(hint.key, hint.record)
      }
      return { node, partitionsDamaged: [...damaged] }
    })
    const short = new Set(partitionsShort(ended.table, ownersNeededFor(ended.table, config), copies))
    return (key) => {
      if (short.has(partitionOf(key, config.partitions))) return 'unknown'
      const record = merged.get(key)
      if (record?.kind !== 'lww') return undefined
      return { stamp: record.stamp, text: record.value === null ? undefined : this.#decoder.decode(record.value) }
    }
  }

  #learn(keys: readonly Key[], records: readonly VersionRecord[]): void {
    records.forEach((record, place) => {
      if (record.kind !== 'lww') return
      const key = keys[place] ?? ''
      if (record.value === null) {
        if (record.stamp > (this.#deletes.get(key) ?? '')) this.#deletes.set(key, record.stamp)
        return
      }
      const name = nameOf({ key, text: this.#decoder.decode(record.value) })
      if (record.stamp < (this.#stamps.get(name) ?? '~')) this.#stamps.set(name, record.stamp)
    })
  }
}

function nameOf({ key, text }: Pick<Write, 'key' | 'text'>): string {
  return `${key}\n${text}`
}
