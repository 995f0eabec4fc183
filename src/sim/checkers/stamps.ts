/**
 * The stamps of writes under `lww`: one for each write, above all that was acknowledged before it (by an earlier process too,
 * whatever the wall clock says), and none above the ceiling that is on disk.
 */

import { isLogKey } from '../../protocol/batch-log/log-keys.js'
import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key } from '../../protocol/ids.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import { stampTimeNs } from '../../protocol/versions/stamp.js'
import type { Call } from '../call.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** A write has one stamp, however often and by whom it is sent; and who writes after another write has ended has a higher one. */
export class Stamps extends Checker {
  readonly name = 'stamps'
  readonly rule =
    'Stamps: stamped once, above all that was acknowledged before, up to the ceiling; every retry, hint and repair keeps it'
  /** key, text → how often it was called for (again where the client had not heard of it), and its stamp of each call. */
  readonly #calls = new Map<string, number>()
  readonly #stamps = new Map<string, string[]>()
  /** The highest stamp of the key that had been acknowledged when it was first called for. */
  readonly #floors = new Map<string, string>()
  readonly #acknowledged = new Map<Key, string>()
  /** The very records that were looked at: what is sent once more as it is needs no second look. */
  readonly #seen = new WeakSet<VersionRecord>()
  readonly #decoder = new TextDecoder()

  onCall({ kind, keys, texts }: Call): void {
    if (kind !== 'put') return
    keys.forEach((key, place) => {
      const name = `${key} ${texts[place]}`
      this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1)
      // Deletes have no text to be known by.
      if (texts[place] !== null && !this.#floors.has(name)) this.#floors.set(name, this.#acknowledged.get(key) ?? '')
    })
  }

  onEnd({ keys, texts }: Call, outcome: OperationOutcome): void {
    if (outcome.type !== 'written') return
    keys.forEach((key, place) => {
      // Of several calls any may be the one that is acknowledged.
      const [stamp] = [...(this.#stamps.get(`${key} ${texts[place]}`) ?? [])].sort()
      if (stamp !== undefined && stamp > (this.#acknowledged.get(key) ?? '')) this.#acknowledged.set(key, stamp)
    })
  }

  onSend(mail: Mail, world: SimWorld): void {
    const { message } = mail
    if (message.type === 'replica/write' || message.type === 'hint/store')
      this.#look(mail, message.keys, message.records, world)
    if (message.type === 'coordinate/requests')
      for (const request of message.requests)
        if (request.kind === 'put') this.#look(mail, request.keys, request.records, world)
  }

  #look({ from, to }: Mail, keys: readonly Key[], records: readonly VersionRecord[], world: SimWorld): void {
    const { sharedClock } = world.options.config
    records.forEach((record, place) => {
      if (record.kind !== 'lww' || record.value === null || this.#seen.has(record)) return
      this.#seen.add(record)
      // A log's content is no client's value: batches that are called again with the same values are logged under each one's stamp.
      if (isLogKey(keys[place] ?? '')) return
      const name = `${keys[place]} ${this.#decoder.decode(record.value)}`
      const known = this.#stamps.get(name) ?? []
      if (known.includes(record.stamp)) return
      if (known.length >= (this.#calls.get(name) ?? 1))
        this.broken(`${from} sends ${to} ${name} under ${record.stamp}; it was stamped ${known.join(' and ')}`)
      if (sharedClock && stampTimeNs(record.stamp) > world.clock.storedCeilingNs)
        this.broken(`${name} is stamped ${record.stamp}, above the ceiling that is on disk`)
      const floor = this.#floors.get(name) ?? ''
      if (record.stamp <= floor)
        this.broken(`${name} is stamped ${record.stamp}, though ${floor} was acknowledged before`)
      this.#stamps.set(name, [...known, record.stamp])
    })
  }
}
