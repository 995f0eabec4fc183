/** Stamps that are asked for: above what any key has, above the own clock, never one twice, and none where nobody can say. */

import { test } from 'tap'
import type { OperationOutcome } from '../../../src/protocol/coordinator/request.js'
import { StampAsks } from '../../../src/protocol/coordinator/stamp-asks.js'
import { makeStamp, stampTimeNs } from '../../../src/protocol/versions/stamp.js'

const storedOf = (timeNs: bigint | undefined): OperationOutcome => ({
  type: 'value',
  record:
    timeNs === undefined
      ? undefined
      : { kind: 'lww', stamp: makeStamp(timeNs, 7, 'gateway9'), value: new Uint8Array(1) },
})

/** The stamp's time for a put of keys whose highest stamps are these. */
function askedOf(asks: StampAsks<string>, timeNs: bigint, stored: readonly (bigint | undefined)[]): bigint {
  const reads = stored.map((_, place) => place + 1)
  asks.begin('put', reads, timeNs)
  const answers = reads.map((read, place) => asks.onRead(read, storedOf(stored[place])))
  const stamped = answers.at(-1)?.stamped
  return typeof stamped === 'string' ? stampTimeNs(stamped) : -1n
}

test('above the own clock, above the highest of all keys, and above what was given before', async (t) => {
  const asks = new StampAsks<string>('gateway1')
  t.equal(askedOf(asks, 100n, [undefined]), 100n, 'the own clock, where nothing is stored')
  t.equal(askedOf(asks, 100n, [undefined]), 101n, 'not the same twice')
  t.equal(askedOf(asks, 50n, [900n, 400n]), 901n, 'the highest of its keys')
  t.equal(askedOf(asks, 60n, [300n]), 902n, 'though the clock has gone back')
  t.equal(askedOf(asks, 5_000n, [300n]), 5_000n)
})

test('one key that cannot be read: no stamp, and nothing is written', async (t) => {
  const asks = new StampAsks<string>('gateway1')
  asks.begin('put', [1, 2], 100n)
  t.equal(
    asks.onRead(1, { type: 'failed', failure: { code: 'QUORUM_UNAVAILABLE' } }),
    undefined,
    'the other is awaited',
  )
  t.same(asks.onRead(2, storedOf(5n)), { put: 'put', stamped: { code: 'QUORUM_UNAVAILABLE' } })
  t.equal(asks.isOurs(2), false)
})
