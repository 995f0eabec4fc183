/**
 * The same keys here and at the target: what is the same, and how the target is made so. Always after what is here; what is newer at the
 * target was written by somebody in the meantime.
 *
 * Called for keys that are owed, and by the verification.
 */

import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '../client.js'
import type { MigrationTarget, SeenRecord } from '../engines/redis-cluster/migration-target.js'
import { assert } from '../protocol/assert.js'
import type { Key } from '../protocol/ids.js'
import { EVERY_OWNER } from '../protocol/ring/quorum.js'
import type { LwwRecord, VersionRecord } from '../protocol/versions/record.js'

/** How long a read of its own, or a write of what it found, may take. */
const READ_MS = 5_000
export const WRITE_MS = 5_000
/** A write that is on its way to the target is given so long in all to arrive there. */
const MOTION_PAUSES_MS = [10, 20, 50, 100, 200, 400, 800]

/** A key as it is here. Undefined: nothing is known of it, not even that it was deleted. */
export interface KeyHere {
  readonly key: Key
  readonly record: LwwRecord | undefined
}

interface Found {
  readonly here: KeyHere
  readonly there: SeenRecord
}

export class SideBySide {
  readonly client: Client
  readonly target: MigrationTarget

  constructor(options: { client: Client; target: MigrationTarget }) {
    this.client = options.client
    this.target = options.target
  }

  /** As all owners that there are have them: what one has that the others lack, somebody may be shown. Errors: those of a read. */
  async readHere(keys: readonly Key[]): Promise<KeyHere[]> {
    const reading = { r: EVERY_OWNER, timeoutMs: READ_MS }
    return Promise.all(keys.map(async (key) => ({ key, record: stamped(await this.client.record(key, reading)) })))
  }

  /** Makes the target the same. Gives how many keys were not. Errors: those of a read or a write there. */
  async equalize(here: readonly KeyHere[]): Promise<number> {
    const different = await this.#different(here)
    await Promise.all(different.map((found) => this.#mend(found)))
    return different.length
  }

  /**
   * The same for keys that looked different a moment ago: writes may have been on their way. Gives how many were not. Errors: also those
   * of a read here.
   */
  async settle(suspects: readonly KeyHere[]): Promise<number> {
    let left = suspects
    for (const pauseMs of MOTION_PAUSES_MS) {
      // What is not known here may have been written since.
      const unknown = left.filter(({ record }) => record === undefined).map(({ key }) => key)
      const known = left.filter(({ record }) => record !== undefined)
      const again = unknown.length === 0 ? [] : await this.readHere(unknown)
      left = (await this.#different([...known, ...again])).map(({ here }) => here)
      if (left.length === 0) return 0
      await delay(pauseMs)
    }
    return this.equalize(await this.readHere(left.map(({ key }) => key)))
  }

  async #different(here: readonly KeyHere[]): Promise<Found[]> {
    if (here.length === 0) return []
    const seen = await this.target.look(
      here.map(({ key }) => key),
      performance.now() + READ_MS,
    )
    return here.flatMap((one, index) => {
      const there = seen[index] as SeenRecord
      return isSame(one.record, there) ? [] : [{ here: one, there }]
    })
  }

  #mend({ here: { key, record }, there }: Found): Promise<void> {
    const deadlineMs = performance.now() + WRITE_MS
    if (record === undefined) return this.target.forget(key, there.stamp ?? '', deadlineMs)
    return this.target.write([{ key, stamp: record.stamp, value: record.value }], deadlineMs)
  }
}

/** What is here is there, or something newer. */
export function isSame(record: LwwRecord | undefined, there: SeenRecord): boolean {
  if (record === undefined) return !there.isLive
  const { stamp, isLive, digest } = there
  if (stamp === undefined || stamp < record.stamp) return false
  if (stamp > record.stamp) return true
  return record.value === null ? !isLive : isLive && digest === digestOf(record.value)
}

/** Of a cluster that keeps one value a key. */
export function stamped(record: VersionRecord | undefined): LwwRecord | undefined {
  assert(record?.kind !== 'siblings', 'a cluster with siblings does not migrate')
  return record
}

function digestOf(value: Uint8Array): string {
  return createHash('sha1').update(value).digest('hex')
}
