/**
 * What is asked of a simulated cluster once its faults are over and it has settled: every key from all its owners, one after
 * the other; then bursts of scans of which most are in a hurry, each burst alone in the cluster. All that is not in a hurry must
 * be answered: what has ended must not keep back what waits behind it, though nobody comes by to move it along.
 *
 * Called by `run.ts`; what the reads show is judged by the checkers.
 */

import type { OperationOutcome } from '../protocol/coordinator/request.js'
import type { GatewayConfig } from '../protocol/gateway-contract.js'
import type { Key } from '../protocol/ids.js'
import type { CallSpec, SimGateway } from './sim-gateway.js'

const TIMEOUT_MS = 5_000
/** Scans of a burst that are in a hurry, and how long those of each burst may take: it may be too short for a round trip. */
const HURRIED = 8
const HURRY_MS = [0.8, 2]
/** More than all of them take. */
const BURST_BYTES = 1_000_000

/** Told of what was not answered. */
export type OnUnanswered = (what: string, end: string) => void

export class LastReads {
  readonly #gateway: SimGateway
  readonly #config: GatewayConfig
  readonly #onUnanswered: OnUnanswered
  readonly #quorum: number
  isDone = false

  /** `owners`: how many of each partition can answer; all of them are asked. */
  constructor(gateway: SimGateway, config: GatewayConfig, owners: number, onUnanswered: OnUnanswered) {
    this.#quorum = owners
    this.#gateway = gateway
    this.#config = config
    this.#onUnanswered = onUnanswered
  }

  start(keys: readonly Key[]): void {
    this.#readKeys([...keys])
  }

  /** Not all at once may be in flight. */
  #readKeys([key, ...rest]: readonly Key[]): void {
    if (key === undefined) return this.#burst(0)
    const spec = { kind: 'get' as const, keys: [key], texts: [], quorum: this.#quorum, timeoutMs: TIMEOUT_MS }
    this.#gateway.call(spec, (outcome) => {
      if (outcome?.type !== 'value') this.#onUnanswered(`get of ${key}`, endOf(outcome))
      this.#readKeys(rest)
    })
  }

  #burst(number: number): void {
    const hurryMs = HURRY_MS[number]
    if (hurryMs === undefined) {
      this.isDone = true
      return
    }
    const scan: CallSpec = { kind: 'scan', keys: [], texts: [], timeoutMs: TIMEOUT_MS }
    const hurried = { ...scan, timeoutMs: hurryMs }
    const { requestsInFlightMax, bytesInFlightMax } = this.#config
    const count = Math.max(0, Math.min(HURRIED, requestsInFlightMax - 2))
    // Where two do not fit there is nothing to keep back.
    const isAlone = requestsInFlightMax < 2 || bytesInFlightMax < BURST_BYTES
    const specs = isAlone ? [scan] : [scan, ...Array.from({ length: count }, () => hurried), scan]
    let open = specs.length
    this.#gateway.callAll(specs, (place, outcome) => {
      if (specs[place] === scan && outcome?.type !== 'page') this.#onUnanswered('patient scan', endOf(outcome))
      open -= 1
      if (open === 0) this.#burst(number + 1)
    })
  }
}

/** One word for how a call has ended. */
export function endOf(outcome: OperationOutcome | undefined): string {
  if (outcome === undefined) return 'vanished'
  return outcome.type === 'failed' ? outcome.failure.code : outcome.type
}
