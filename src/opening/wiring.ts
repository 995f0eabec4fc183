/**
 * The configurations of the protocol's machines, made from a prepared cluster: the one place where options become numbers
 * of the protocol.
 */

import { type ProtocolConfig, QUEUE_LIMITS } from '../protocol/config.js'
import type { GatewayConfig } from '../protocol/gateway-contract.js'
import { MEMBERSHIP_DEFAULTS } from '../protocol/membership/membership-config.js'
import { RESTART_POLICY_DEFAULTS } from '../protocol/supervision/restart-policy.js'
import type { SupervisorConfig } from '../protocol/supervision/supervisor-config.js'
import { stampTimePart } from '../protocol/versions/stamp.js'
import type { Prepared } from './prepare.js'

/** Once converged, gossip slows down by this. */
const CONVERGED_FACTOR = 5

export function protocolConfigOf({ config, metadata, quorums }: Prepared): ProtocolConfig {
  return {
    partitions: metadata.partitions,
    ...quorums,
    conflict: metadata.conflict,
    avoidAfterMs: config.avoidAfterMs,
    hedgeBudgetPercent: config.hedgeBudgetPercent,
    hintWindowMs: config.hintWindowMs,
    sharedClock: true,
    hintBytesMax: config.hintBytesMax,
    transferBytesPerSecond: config.transferBytesPerSecond,
    transfersMax: config.transfersMax,
    antiEntropyIntervalMs: config.antiEntropyIntervalMs,
    tombstoneGraceMs: config.tombstoneGraceMs,
    queues: QUEUE_LIMITS,
    membership: {
      ...MEMBERSHIP_DEFAULTS,
      heartbeatMs: config.heartbeatMs,
      gossipMs: config.gossipMs,
      gossipConvergedMs: config.gossipMs * CONVERGED_FACTOR,
    },
  }
}

export function gatewayConfigOf(prepared: Prepared): GatewayConfig {
  const { coordination, requestsInFlightMax, bytesInFlightMax } = prepared.config
  // The clock goes on where that of the process before can have come to.
  const life = stampTimePart(prepared.clock.readNs())
  return { ...protocolConfigOf(prepared), coordination, life, requestsInFlightMax, bytesInFlightMax }
}

export function supervisionConfigOf({ config, metadata, quorums }: Prepared): SupervisorConfig {
  const { restartsMax, restartWindowMs: windowMs, hungAfterMs, openTimeoutMs: openingAfterMs } = config
  const restart = { ...RESTART_POLICY_DEFAULTS, restartsMax, windowMs }
  const nodesCoordinate = config.coordination === 'server' || metadata.conflict === 'siblings'
  const { tombstoneGraceMs } = config
  return { ...quorums, restart, hungAfterMs, openingAfterMs, nodesCoordinate, tombstoneGraceMs }
}
