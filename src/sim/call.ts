/** A call of a simulated client: what it asked, and when. Made by `SimWorld`, seen by observers. */

import type { GatewayId, Key } from '../protocol/ids.js'
import type { CausalContext } from '../protocol/versions/dvv.js'

export interface Call {
  /** Counts the calls of a world. */
  readonly number: number
  readonly gateway: GatewayId
  readonly kind: 'get' | 'put' | 'scan'
  readonly keys: readonly Key[]
  /** Of a put; null: delete. */
  readonly texts: readonly (string | null)[]
  /** r of a get or a scan, w of a put. */
  readonly quorum: number
  readonly sloppy: boolean
  readonly context: CausalContext | undefined
  readonly calledAtMs: number
  readonly deadlineMs: number
}

export interface CallOptions {
  readonly quorum?: number
  readonly sloppy?: boolean
  readonly timeoutMs?: number
  readonly context?: CausalContext
}
