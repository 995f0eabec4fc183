/**
 * One page of an ordered scan over all partitions.
 *
 * Every partition is read from r full owners, chosen so that few nodes cover them all. Each node returns one ordered
 * page of its keys; what lies before the nearest page end is complete, so it is merged and answered, and the rest is asked again by the
 * next page. Where r replies of a key differ, or a record is damaged, the key is read by a get (with its blocking
 * repair), so that a scan promises for each key what a get with that r does. Any trouble (a node lost, another epoch)
 * begins the page again: a page has no effects.
 *
 * Called by `Coordination` only.
 */

import type { Key, NodeId, PartitionId } from '../ids.js'
import { type Outcome, REPLY, type ReplicaScanReply } from '../messages.js'
import { partitionOf } from '../ring/slot.js'
import { rowOf } from '../ring/table.js'
import { isLive, sameVersion, type VersionRecord } from '../versions/record.js'
import { type Desk, type LostLeg, quorumFailure, Request, type ScanOperation, type ScanPage } from './request.js'
import { readsOf } from './scan-covers.js'

/** What a page that is being put together counts toward the bound of its gateway. */
const SCAN_BYTES = 65_536

interface Leg {
  readonly partitions: readonly PartitionId[]
  reply: ReplicaScanReply | undefined
}

/** One try at the page: who was asked for what, and what came back. */
type Attempt = ReadonlyMap<NodeId, Leg>

/**
 * Attempts under way at once. A page that began again whenever a node was silent would never end on a busy machine:
 *   1. every node needs longer for its part than `avoidAfterMs`, and is taken for silent;
 *   2. the page begins again elsewhere; its parts queue behind the old ones;
 *   3. the old answers come and belong to nothing any more; the new ones are late as well. From 1.
 */
const ATTEMPTS_MAX = 3

interface Found {
  readonly records: (VersionRecord | undefined)[]
}

export class ScanRequest extends Request {
  readonly #operation: ScanOperation
  /** Oldest first: the page is made of the first that is whole. */
  #attempts: Attempt[] = []
  /** The newest attempt could not be begun yet. */
  #isAttemptDue = false
  /** Keys that a get must settle, and what it said. */
  #settling = new Map<Key, VersionRecord | undefined | 'asked'>()
  #merged:
    | { readonly keys: readonly Key[]; readonly found: ReadonlyMap<Key, Found>; readonly next: Key | undefined }
    | undefined

  constructor(operation: ScanOperation) {
    super(operation.id, operation.deadlineMs, SCAN_BYTES)
    this.#operation = operation
  }

  start(desk: Desk): void {
    this.#attempts = []
    this.#settling = new Map()
    this.#merged = undefined
    this.#begin(desk)
  }

  override onScanReply(desk: Desk, from: NodeId, reply: ReplicaScanReply, asked: readonly PartitionId[]): void {
    if (this.#merged !== undefined) return
    const attempt = this.#attempts.find((candidate) => candidate.get(from)?.partitions === asked)
    const leg = attempt?.get(from)
    if (attempt === undefined || leg === undefined || leg.reply !== undefined) return
    if (reply.status !== REPLY.ok) return this.#drop(desk, attempt, true)
    leg.reply = reply
    if ([...attempt.values()].every((candidate) => candidate.reply !== undefined)) this.#merge(desk, attempt)
  }

  /** A get that settles one key has ended. */
  override onInner(desk: Desk, key: Key, outcome: Outcome): void {
    if (this.#merged === undefined || !this.#settling.has(key)) return
    if (outcome.type === 'failed') return desk.end(this, outcome)
    this.#settling.set(key, outcome.type === 'value' ? outcome.record : undefined)
    this.#finish(desk)
  }

  override onLegLost(desk: Desk, node: NodeId, lost: LostLeg): void {
    if (this.#merged !== undefined) return
    const isOpen = (attempt: Attempt) => attempt.has(node) && attempt.get(node)?.reply === undefined
    const newest = this.#attempts.at(-1)
    if (lost.silent && lost.sent) {
      // It may only be slow: the attempt stays, and another one goes around it.
      if (newest !== undefined && isOpen(newest) && this.#attempts.length < ATTEMPTS_MAX) this.#begin(desk)
      return
    }
    // What waited for a silent node belongs to the newest attempt: the older ones were sent before.
    const dead = this.#attempts.filter((attempt) => isOpen(attempt) && (!lost.silent || attempt === newest))
    for (const attempt of dead) this.#drop(desk, attempt, false)
  }

  retry(desk: Desk): void {
    if (this.#isAttemptDue && this.#merged === undefined) this.#begin(desk)
  }

  override onTable(desk: Desk): void {
    if (this.#merged === undefined) this.start(desk)
  }

  onDeadline(desk: Desk): void {
    const newest = [...(this.#attempts.at(-1) ?? [])]
    const missing = newest.filter(([, leg]) => leg.reply === undefined).map(([node]) => node)
    const needed = Math.max(...desk.table.rows.map((row) => readsOf(desk, row, this.#operation.r)))
    desk.end(this, { type: 'failed', failure: { code: 'TIMEOUT', needed, missing } })
  }

  #begin(desk: Desk): void {
    const { r } = this.#operation
    this.#isAttemptDue = true
    const choice = desk.covers.choose(desk, r)
    if (choice === 'waits') return desk.wait(this, false)
    if (!('cover' in choice)) {
      const { partition, row, alive, missing } = choice
      const failure = quorumFailure(row, partition, readsOf(desk, row, r), alive, missing)
      return desk.end(this, { type: 'failed', failure })
    }
    this.#isAttemptDue = false
    // Lists of its own: by them an answer finds the attempt that it belongs to.
    const legOf = (partitions: readonly PartitionId[]): Leg => ({ partitions: [...partitions], reply: undefined })
    const attempt: Attempt = new Map([...choice.cover].map(([node, partitions]) => [node, legOf(partitions)]))
    this.#attempts.push(attempt)
    const { range, limit, bytesMax } = this.#operation
    for (const [node, { partitions }] of attempt) {
      const share = shareOf(limit, partitions.length / desk.table.rows.length)
      const leg = { node, range, limit: share, bytesMax, partitions }
      if (!desk.sendScan(this, leg)) return this.#drop(desk, attempt, true)
    }
  }

  /** An attempt that will not be whole. The newest is replaced, at once or `soon`. */
  #drop(desk: Desk, attempt: Attempt, soon: boolean): void {
    const wasNewest = this.#attempts.at(-1) === attempt
    this.#attempts = this.#attempts.filter((candidate) => candidate !== attempt)
    if (!wasNewest) return
    this.#isAttemptDue = true
    if (soon) desk.wait(this, true)
    else this.#begin(desk)
  }

  /** Merges the complete part of the pages and has doubtful keys settled by gets. */
  #merge(desk: Desk, attempt: Attempt): void {
    const { range, r, limit } = this.#operation
    const before = (a: Key, b: Key) => (range.reverse ? a > b : a < b)
    let next: Key | undefined
    for (const { reply } of attempt.values()) {
      if (reply?.next !== undefined && (next === undefined || before(reply.next, next))) next = reply.next
    }
    const found = new Map<Key, Found>()
    for (const { reply } of attempt.values()) {
      reply?.keys.forEach((key, index) => {
        if (next !== undefined && before(next, key)) return
        const entry = found.get(key)
        if (entry === undefined) found.set(key, { records: [reply.records[index]] })
        else entry.records.push(reply.records[index])
      })
    }
    let keys = [...found.keys()].sort((a, b) => (before(a, b) ? -1 : 1))
    if (keys.length > limit) {
      keys = keys.slice(0, limit)
      next = keys.at(-1)
    }
    this.#merged = { keys, found, next }
    for (const key of keys) {
      const records = found.get(key)?.records ?? []
      const needed = r > 0 ? r : readsOf(desk, rowOf(desk.table, partitionOf(key, desk.config.partitions)), r)
      const agreed =
        records.length >= needed && records.every((record) => record !== undefined && sameVersion(record, records[0]))
      if (!agreed) this.#settling.set(key, 'asked')
    }
    for (const key of this.#settling.keys()) {
      desk.startInner(this, key, r)
    }
    this.#finish(desk)
  }

  #finish(desk: Desk): void {
    const merged = this.#merged
    if (merged === undefined || [...this.#settling.values()].includes('asked')) return
    const keys: Key[] = []
    const records: VersionRecord[] = []
    for (const key of merged.keys) {
      const settled = this.#settling.get(key)
      const record = this.#settling.has(key) ? settled : merged.found.get(key)?.records[0]
      if (record === undefined || record === 'asked' || !isLive(record)) continue
      keys.push(key)
      records.push(record)
    }
    const page: ScanPage = merged.next === undefined ? { keys, records } : { keys, records, next: merged.next }
    desk.end(this, { type: 'page', page })
  }
}

/**
 * Rows to ask of a node for its part of a page: keys lie among the partitions by chance, so that its part of the rows is about its
 * part of the partitions. Three standard deviations more, or the page would often end early; all of the page from
 * everybody would be read, sent and thrown away.
 */
function shareOf(limit: number, part: number): number {
  const expected = limit * part
  return Math.min(limit, Math.ceil(expected + 3 * Math.sqrt(expected)) + 1)
}
