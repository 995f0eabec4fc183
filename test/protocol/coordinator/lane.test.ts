/** The lane of one kind of message to one peer: what has ended meanwhile must not keep back what waits behind it. */

import { test } from 'tap'
import { MESSAGE_OPERATIONS_MAX, QUEUE_LIMITS } from '../../../src/protocol/config.js'
import { Lane, type LaneEntry } from '../../../src/protocol/coordinator/lane.js'
import type { Request } from '../../../src/protocol/coordinator/request.js'

function entry(name: string, phase: Request['phase'], operations = 1): LaneEntry & { readonly name: string } {
  return { name, request: { phase } as Request, operations, bytes: 1, deadlineMs: 0 }
}

test('lane: a message that would be empty is not made, and the next one goes in its place', async (t) => {
  const lane = new Lane<LaneEntry & { readonly name: string }>(QUEUE_LIMITS)
  // As many operations as a message may have: one entry each, as a scan is.
  for (const name of ['one', 'two']) lane.push(entry(name, 'gone', MESSAGE_OPERATIONS_MAX))
  lane.push(entry('three', 'running', MESSAGE_OPERATIONS_MAX))
  lane.push(entry('four', 'running', MESSAGE_OPERATIONS_MAX))
  t.same(
    lane.take(1, 0)?.map(({ name }) => name),
    ['three'],
  )
  t.equal(lane.take(2, 0), undefined, 'its credit is away')
  lane.settle(1)
  t.same(
    lane.take(2, 0)?.map(({ name }) => name),
    ['four'],
  )
})

test('lane: where everything has ended nothing goes, and the credit stays', async (t) => {
  const lane = new Lane<LaneEntry>(QUEUE_LIMITS)
  for (let count = 0; count < 3; count++) lane.push(entry('gone', 'gone', MESSAGE_OPERATIONS_MAX))
  t.equal(lane.take(1, 0), undefined)
  t.equal(lane.queued, 0)
  t.equal(lane.outstanding, undefined)
})
