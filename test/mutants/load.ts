/** Wrong versions of bounds. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const LANE = 'src/protocol/coordinator/lane.ts'
const REGISTRY = 'src/protocol/coordinator/request-registry.ts'
const RETRANSMISSION = 'src/protocol/coordinator/retransmission.ts'
const GATEWAY = 'src/protocol/gateway.ts'
const HINTS = 'src/protocol/handoff/hint-keeper.ts'

export const LOAD: readonly Mutant[] = [
  {
    name: 'more-in-flight-than-may-be',
    rule: 'refusals',
    checker: 'bounds',
    file: GATEWAY,
    find: "if (this.#inFlight >= this.#config.requestsInFlightMax) return 'OVERLOADED'",
    replace: '',
  },
  {
    name: 'more-hints-than-may-be',
    rule: 'hints-stay',
    checker: 'bounds',
    file: HINTS,
    find: 'if (bytes > this.#bytesMax || this.#isRetiring || isTooOld(hint.record)) break',
    replace: 'if (this.#isRetiring || isTooOld(hint.record)) break',
    // The protocol's own assertion would be first.
    also: {
      file: 'src/protocol/invariants.ts',
      find: 'assert(facts.hintBytes <= facts.hintBytesBound,',
      replace: 'assert(facts.hintBytes >= 0,',
    },
  },
  {
    name: 'more-bytes-in-flight-than-may-be',
    rule: 'refusals',
    checker: 'bounds',
    file: GATEWAY,
    find: "if (this.#bytes >= this.#config.bytesInFlightMax) return 'OVERLOADED'",
    replace: '',
  },
  {
    name: 'queue-without-a-bound',
    rule: 'limits',
    checker: 'bounds',
    file: LANE,
    find: 'if (this.#queue.length >= linkQueueMax || this.#queuedBytes >= linkQueueBytesMax) return false',
    replace: 'if (linkQueueMax + linkQueueBytesMax < 0) return false',
  },
  {
    name: 'lingers-without-a-bound',
    rule: 'limits',
    checker: 'bounds',
    file: REGISTRY,
    find: 'if (this.#lingering.size <= lingerRequestsMax && this.#lingeringBytes <= lingerBytesMax) return undefined',
    replace: 'if (lingerRequestsMax + lingerBytesMax > 0) return undefined',
  },
  {
    name: 'missed-writes-without-a-bound',
    rule: 'limits',
    checker: 'bounds',
    file: REGISTRY,
    find: 'return this.#missedBytes > this.#limits.hintBufferBytesMax',
    replace: 'return this.#missedBytes > 1e9',
  },
  {
    name: 'asks-the-silent-without-a-pause',
    rule: 'limits',
    checker: 'bounds',
    file: RETRANSMISSION,
    find: 'peer.pingAtMs = nowMs + pauseAfter(nowMs - (peer.oldestSentAtMs() ?? nowMs))',
    replace: 'peer.pingAtMs = nowMs',
  },
  {
    name: 'ended-keeps-the-rest-back',
    rule: 'batch-first',
    checker: 'liveness',
    file: LANE,
    find: 'while (entries.length === 0 && this.#queue.length > 0) entries = this.#cut()',
    replace: 'if (this.#queue.length > 0) entries = this.#cut()',
  },
]
