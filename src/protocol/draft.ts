/** A store write that a replica makes: of what, and who waits for it. Called by `Replica` only. */

import type { Address, Key, PartitionId } from './ids.js'
import type { Purpose, ReplicaWrite, ReplyStatus } from './messages.js'
import type { VersionRecord } from './versions/record.js'

/** One atomic piece of a write, a request's keys of one partition: these places of the write's columns. */
export interface Unit {
  readonly from: number
  readonly end: number
  readonly partition: PartitionId
  readonly purpose: Purpose
  status: ReplyStatus
}

/** A message, or a local write, that waits for the store. */
export interface Waiting {
  /** Parallel columns. */
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  readonly units: readonly Unit[]
  readonly answer: { readonly to: Address; readonly message: ReplicaWrite } | { readonly local: number }
}

/** Below this a search through the list is faster than an index. */
const INDEX_FROM = 8

/** What a message, or a local write, brings into the store; once it is on its way, also who waits for it. */
export class Draft {
  token = 0
  /** Parallel columns. A key can stand there twice; the later record counts. */
  readonly keys: Key[] = []
  readonly records: VersionRecord[] = []
  liveKeysDelta = 0
  /** The newest write on its way on which what is not in this one stands; undefined: all that has been accepted. */
  standsOn: Draft | undefined = undefined
  readonly waiting: Waiting[]
  /** Key → place; made when it is first looked for, which most never are. */
  #index: Map<Key, number> | undefined

  constructor(waiting: Waiting) {
    this.waiting = [waiting]
  }

  add(key: Key, record: VersionRecord, liveKeysDelta: number): void {
    this.#index?.set(key, this.keys.length)
    this.keys.push(key)
    this.records.push(record)
    this.liveKeysDelta += liveKeysDelta
  }

  standOn(draft: Draft | undefined): void {
    if (draft !== undefined && draft.token > (this.standsOn?.token ?? 0)) this.standsOn = draft
  }

  find(key: Key): VersionRecord | undefined {
    if (this.keys.length < INDEX_FROM) return this.records[this.keys.lastIndexOf(key)]
    this.#index ??= new Map(this.keys.map((there, place) => [there, place]))
    const place = this.#index.get(key)
    return place === undefined ? undefined : this.records[place]
  }
}
