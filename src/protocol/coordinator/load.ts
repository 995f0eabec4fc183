/**
 * How much waits with a coordinator, beside the bounds that `QueueLimits` and the gateway's options set to it: for whoever looks
 * whether they hold. Changes nothing.
 */

import type { Peer } from './peer.js'
import type { RequestRegistry } from './request-registry.js'

export interface CoordinationLoad {
  /** Requests whose callers wait, what these started included; and bytes that all requests keep alive. */
  readonly running: number
  readonly bytes: number
  /** Answered writes that still see to their last owners. */
  readonly lingering: number
  readonly lingeringBytes: number
  /** Hints that look for a keeper. */
  readonly missedBytes: number
  /** Of the fullest lane. */
  readonly queuedMost: number
  readonly queuedBytesMost: number
}

export function loadOf(requests: RequestRegistry, peers: readonly Peer[]): CoordinationLoad {
  let queuedMost = 0
  let queuedBytesMost = 0
  for (const { lanes } of peers)
    for (const lane of lanes) {
      if (lane.queued > queuedMost) queuedMost = lane.queued
      if (lane.queuedBytes > queuedBytesMost) queuedBytesMost = lane.queuedBytes
    }
  const { running, bytes, lingeringPuts: lingering, lingeringBytes, missedBytes } = requests
  return { running, bytes, lingering, lingeringBytes, missedBytes, queuedMost, queuedBytesMost }
}
