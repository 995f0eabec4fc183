/** What there is in a virtual world: lives, mail and its fate, things that will happen. */

import type { DynamoNode } from '../../src/protocol/dynamo-node.js'
import type { NodeEffect } from '../../src/protocol/effects.js'
import type { Address } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'
import type { CausalContext } from '../../src/protocol/versions/dvv.js'
import type { MemoryStore } from '../../src/storage/memory-store.js'

export interface Mail {
  readonly from: Address
  readonly to: Address
  readonly message: Message
}

/** Deliver, lose, keep until `release`, or deliver so many ms later. */
export type Fate = 'deliver' | 'drop' | 'hold' | number

/** A life of a node: nothing is left of it but its disk. */
export interface Life {
  readonly node: DynamoNode
  readonly incarnation: number
  readonly store: MemoryStore
  /** What its disk has not answered yet, oldest first. */
  readonly disk: (NodeEffect & { type: 'store/write' | 'store/scan' })[]
  diskFreeAtMs: number
  dueMs: number
  frozenUntilMs: number
}

/** Something that will happen. */
export interface Due {
  readonly atMs: number
  readonly sequence: number
  readonly mail: Mail | undefined
  readonly run: () => void
}

export interface PutOptions {
  readonly w?: number
  readonly sloppy?: boolean
  readonly timeoutMs?: number
  readonly context?: CausalContext
}
