/** The numbers of a virtual world, where a test does not say others. */

import { QUEUE_LIMITS } from '../../src/protocol/config.js'
import type { GatewayConfig } from '../../src/protocol/gateway-contract.js'
import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'

export function configOf(wFill: number): GatewayConfig {
  const transfer = {
    wFill,
    hintWindowMs: 3_600_000,
    hintBytesMax: 1e8,
    transferBytesPerSecond: 1e9,
    transfersMax: 2,
    antiEntropyIntervalMs: 0,
    tombstoneGraceMs: 0,
  }
  const quorums = {
    partitions: 16,
    n: 3,
    r: 2,
    w: 2,
    conflict: 'lww',
    sharedClock: true,
    avoidAfterMs: 50,
    hedgeBudgetPercent: 5,
  } as const
  const bounds = { coordination: 'client', life: '', requestsInFlightMax: 1_000, bytesInFlightMax: 1e8 } as const
  return { ...quorums, ...transfer, ...bounds, queues: QUEUE_LIMITS, membership: MEMBERSHIP_DEFAULTS }
}
