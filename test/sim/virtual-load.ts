/**
 * A simulated cluster under load: callers that each call, wait for the answer, think for a moment and call again. What they
 * measure is virtual time, the same in every run. Used by the tests of what a fault costs its callers.
 */

import { QUEUE_LIMITS } from '../../src/protocol/config.js'
import type { Address } from '../../src/protocol/ids.js'
import { MEMBERSHIP_DEFAULTS } from '../../src/protocol/membership/membership-config.js'
import { Prng } from '../../src/protocol/prng.js'
import { RESTART_POLICY_DEFAULTS } from '../../src/protocol/supervision/restart-policy.js'
import type { Observer } from '../../src/sim/observer.js'
import { isSettled } from '../../src/sim/settled.js'
import { SimWorld } from '../../src/sim/world.js'

const CALLERS = 16
const KEYS = 200
const THINK_MS_MAX = 4
const TIMEOUT_MS = 2_000
/** Virtual time that anything may take. */
const PATIENCE_MS = 120_000

export interface LoadReport {
  /** How calls ended: `value`, `written`, or a failure's code. */
  readonly ends: Readonly<Record<string, number>>
  /** Of all calls of the kind, in virtual ms. */
  readonly p99Ms: { readonly get: number; readonly put: number }
}

/** Five nodes, n = 3, r = w = 2, one gateway; everybody is up. */
export function worldUnderLoad(
  seed: number,
  coordination: 'client' | 'server',
  { transferBytesPerSecond = 1e8, observers = [] }: { transferBytesPerSecond?: number; observers?: Observer[] } = {},
): SimWorld {
  const quorums = { n: 3, r: 2, w: 2, wFill: 2 }
  const bounds = { hintWindowMs: 1e7, hintBytesMax: 1e8, transferBytesPerSecond, transfersMax: 2 }
  const config = {
    ...quorums,
    ...bounds,
    partitions: 16,
    conflict: 'lww' as const,
    coordination,
    life: '',
    avoidAfterMs: 50,
    hedgeBudgetPercent: 5,
    sharedClock: true,
    antiEntropyIntervalMs: 0,
    tombstoneGraceMs: 0,
    queues: QUEUE_LIMITS,
    membership: MEMBERSHIP_DEFAULTS,
    requestsInFlightMax: 1_000,
    bytesInFlightMax: 1e8,
  }
  const times = { hungAfterMs: 500, openingAfterMs: 5_000 }
  const restart = { ...RESTART_POLICY_DEFAULTS, restartsMax: 1_000 }
  const world = new SimWorld({
    seed,
    nodes: 5,
    config,
    supervision: { ...quorums, ...times, nodesCoordinate: coordination === 'server', tombstoneGraceMs: 0, restart },
    latency: { minMs: 0.2, spreadMs: 0.4 },
    observers,
  })
  world.runUntil(() => isSettled(world), PATIENCE_MS)
  world.addGateway()
  world.run(50)
  return world
}

/** So many calls, half of them gets. Errors: Error if they do not end. */
export function load(world: SimWorld, seed: number, calls: number): LoadReport {
  const latenciesMs = { get: [] as number[], put: [] as number[] }
  const ends: Record<string, number> = {}
  const [gateway] = world.gateways.values()
  let begun = 0
  let ended = 0
  const caller = (prng: Prng): void => {
    if (begun === calls) return
    begun += 1
    const { nowMs } = world
    const kind = prng.below(2) === 0 ? 'get' : 'put'
    const texts = kind === 'put' ? [`v${begun}`] : []
    const call = { kind, keys: [`k${prng.below(KEYS)}`], texts, timeoutMs: TIMEOUT_MS } as const
    gateway?.call(call, (outcome) => {
      latenciesMs[kind].push(world.nowMs - nowMs)
      // Nobody's thread ends here.
      if (outcome === undefined) throw new Error('a caller vanished')
      const end = outcome.type === 'failed' ? outcome.failure.code : outcome.type
      ends[end] = (ends[end] ?? 0) + 1
      ended += 1
      world.at(world.nowMs + prng.next() * THINK_MS_MAX, () => caller(prng))
    })
  }
  for (let number = 0; number < CALLERS; number++) caller(new Prng(seed * 1_000 + number))
  if (!world.runUntil(() => ended === calls, PATIENCE_MS)) throw new Error(`${calls - ended} calls have not ended`)
  return { ends, p99Ms: { get: p99Of(latenciesMs.get), put: p99Of(latenciesMs.put) } }
}

/** Everything that is said to or by the node takes up to so many ms more. */
export function slowLinks(world: SimWorld, node: Address, delayMs: number): void {
  const fault = { lost: 0, doubled: 0, reordered: 0, delayMs }
  for (const other of [...world.nodes.keys(), ...world.gateways.keys()]) {
    if (other === node) continue
    world.network.fault(node, other, fault)
    world.network.fault(other, node, fault)
  }
}

function p99Of(latenciesMs: number[]): number {
  latenciesMs.sort((a, b) => a - b)
  return latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0
}
