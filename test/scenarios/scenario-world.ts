/**
 * The cluster of a scenario: a simulated world in which everything takes its shortest time, so that the same commands show the
 * same lines and a person can follow them. A message takes 0.5 ms, a store 0.1 ms.
 *
 * Called by `commands.ts`.
 */

import { QUEUE_LIMITS } from '../../src/protocol/config.js'
import type { GatewayConfig } from '../../src/protocol/gateway-contract.js'
import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'
import { RESTART_POLICY_DEFAULTS } from '../../src/protocol/supervision/restart-policy.js'
import type { Observer } from '../../src/sim/observer.js'
import { SimWorld } from '../../src/sim/world.js'

const LATENCY_MS = 0.5

export interface ClusterOptions {
  readonly nodes: number
  readonly standbys: number
  readonly n: number
  readonly r: number
  readonly w: number
  readonly conflict: 'lww' | 'siblings'
  readonly coordination: 'client' | 'server'
  readonly hintWindowMs: number
  readonly tombstoneGraceMs: number
  readonly hedgeBudgetPercent: number
  /** False: each gateway has a clock of its own. */
  readonly sharedClock: boolean
}

export function worldOf(options: ClusterOptions, observer: Observer): SimWorld {
  const {
    nodes,
    standbys,
    n,
    r,
    w,
    conflict,
    coordination,
    hintWindowMs,
    tombstoneGraceMs,
    hedgeBudgetPercent,
    sharedClock,
  } = options
  const quorums = { n, r, w, wFill: w }
  const config: GatewayConfig = {
    ...quorums,
    partitions: 16,
    conflict,
    coordination,
    life: '',
    avoidAfterMs: 50,
    hedgeBudgetPercent,
    hintWindowMs,
    sharedClock,
    hintBytesMax: 1e7,
    transferBytesPerSecond: 1e8,
    transfersMax: 2,
    antiEntropyIntervalMs: 0,
    tombstoneGraceMs,
    queues: QUEUE_LIMITS,
    membership: MEMBERSHIP_DEFAULTS,
    requestsInFlightMax: 1_000,
    bytesInFlightMax: 1e8,
  }
  const nodesCoordinate = coordination === 'server' || conflict === 'siblings'
  const times = { hungAfterMs: 500, openingAfterMs: 5_000 }
  return new SimWorld({
    seed: 1,
    nodes,
    standbys,
    config,
    supervision: { ...quorums, ...times, nodesCoordinate, tombstoneGraceMs, restart: RESTART_POLICY_DEFAULTS },
    latency: { minMs: LATENCY_MS, spreadMs: 0 },
    isSteady: true,
    observers: [observer],
  })
}
