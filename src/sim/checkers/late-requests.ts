/**
 * What comes after its deadline and is neither a read nor a write of a replica (those: `Deadlines`): pages of scans, and sibling
 * updates, which would give a dot to a write whose caller has been told that it failed.
 */

import type { GatewayId, Key, NodeId } from '../../protocol/ids.js'
import { type CoordinateRequests, REPLY } from '../../protocol/messages.js'
import type { StoreWrite } from '../../protocol/store-contract.js'
import type { Stamp } from '../../protocol/versions/stamp.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

export class LateRequests extends Checker {
  readonly name = 'late-requests'
  readonly rule = 'Requests: every message carries its deadline, and what is expired is not done'
  /** By sender, receiver and number: those that came in time, and scans that did not. What comes again changes nothing. */
  readonly #seen = new Set<string>()
  readonly #lateScans = new Set<string>()
  /** node, key, stamp of updates that came too late. */
  readonly #lateUpdates = new Set<string>()

  onDelivered({ from, to, message }: Mail, world: SimWorld): void {
    if (message.type !== 'replica/scan' && message.type !== 'coordinate/requests') return
    const name = `${from} ${to} ${message.id}`
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    if (message.type === 'coordinate/requests') this.#onUpdates(to, message, world)
    else if (message.deadlineMs < world.nowMs) this.#lateScans.add(name)
  }

  onSend({ from, to, message }: Mail): void {
    if (message.type !== 'replica/scan-reply' || message.status !== REPLY.ok) return
    if (this.#lateScans.has(`${to} ${from} ${message.replyTo}`))
      this.broken(`${from} made ${to} a page that had been asked for too late`)
  }

  onAccepted(node: NodeId, { keys, records }: StoreWrite): void {
    if (this.#lateUpdates.size === 0) return
    records.forEach((record, place) => {
      if (record.kind !== 'siblings') return
      for (const { siblings } of record.set)
        for (const { stamp } of siblings)
          if (this.#lateUpdates.has(nameOf(node, keys[place] as Key, stamp)))
            this.broken(`${node} stored ${stamp} of ${keys[place]}, which had come after its deadline`)
    })
  }

  #onUpdates(node: NodeId | GatewayId, { requests }: CoordinateRequests, world: SimWorld): void {
    for (const request of requests) {
      if (request.kind !== 'update' || request.deadlineMs >= world.nowMs) continue
      for (const key of request.keys) this.#lateUpdates.add(nameOf(node, key, request.stamp))
    }
  }
}

function nameOf(node: NodeId | GatewayId, key: Key, stamp: Stamp): string {
  return `${node} ${key} ${stamp}`
}
