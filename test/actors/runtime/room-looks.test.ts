/** When a full disk is looked at. */

import { test } from 'tap'
import { RoomLooks } from '../../../actors/runtime/room-looks.js'

test('a look that is asked for begins after the call: one under way may have seen what is no longer so', async (t) => {
  const looks = new RoomLooks()
  const order: string[] = []
  const ends: (() => void)[] = []
  const first = new Promise<void>((resolve) => ends.push(resolve))
  looks.lookIfDue(async () => {
    order.push('first begins')
    await first
    order.push('first ends')
  })
  const both = Promise.all(['second', 'third'].map((name) => looks.lookNow(async () => void order.push(name))))
  looks.lookIfDue(async () => void order.push('not while another looks'))
  for (const end of ends) end()
  await both
  t.same(order, ['first begins', 'first ends', 'second'], 'who asks while one is waited for shares the next')
  looks.lookIfDue(async () => void order.push('not so soon'))
  await looks.lookNow(async () => void order.push('at once'))
  t.same(order.slice(3), ['at once'])
})
