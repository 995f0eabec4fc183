/** The table of what lives shortly, against a `Map`; and the list of requests. */

import fc from 'fast-check'
import { test } from 'tap'
import { Request } from '../../src/protocol/coordinator/request.js'
import { RequestList } from '../../src/protocol/coordinator/request-list.js'
import { IdTable } from '../../src/protocol/id-table.js'

/** Ids as the cores give them: counting up by two, and a batch's groups far above. */
const idOf = (number: number) => (number % 3 === 0 ? 2 ** 40 + 2 * number : 2 * number + 2)

test('id table: gives what a map gives, whatever is added and taken in which order', async (t) => {
  const property = fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 600 }), (numbers) => {
    const table = new IdTable<string>()
    const model = new Map<number, string>()
    for (const number of numbers) {
      const id = idOf(number)
      if (model.has(id)) {
        const expected = model.get(id)
        model.delete(id)
        if (table.take(id) !== expected) return false
      } else {
        model.set(id, `value ${id}`)
        table.add(id, `value ${id}`)
      }
      if (table.size !== model.size || table.get(id) !== model.get(id)) return false
    }
    const sorted = [...model].sort(([a], [b]) => a - b).map(([, value]) => value)
    return [...model].every(([id, value]) => table.get(id) === value) && String(table.values()) === String(sorted)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 11 }))
})

test('id table: what is not there is not taken, and an id is given once', async (t) => {
  const table = new IdTable<string>()
  table.add(1, 'one')
  t.throws(() => table.add(1, 'again'), { message: /given once/ })
  t.throws(() => table.add(0, 'zero'), { message: /1 or more/ })
  t.equal(table.take(2), undefined)
  t.equal(table.take(1), 'one')
  t.equal(table.take(1), undefined)
  t.equal(table.size, 0)
})

class Waits extends Request {
  start(): void {
    // Nothing to do.
  }
  retry(): void {
    // Nothing to do.
  }
  onDeadline(): void {
    // Nothing to do.
  }
}

test('request list: keeps the order of arrival, and nothing of what was removed', async (t) => {
  const list = new RequestList()
  const requests = [1, 2, 3, 4].map((id) => new Waits(id, 0, 0))
  for (const request of requests) list.add(request)
  const [first, second, third, fourth] = requests as [Waits, Waits, Waits, Waits]
  t.throws(() => new RequestList().add(first), { message: /in one list/ })
  for (const [removed, left] of [
    [second, [1, 3, 4]],
    [first, [3, 4]],
    [fourth, [3]],
    [third, []],
  ] as const) {
    list.remove(removed)
    t.same(
      list.toArray().map(({ id }) => id),
      left,
    )
    t.equal(removed.next ?? removed.previous ?? removed.list, undefined, 'a dead request keeps no other alive')
    t.equal(list.size, left.length)
  }
  t.throws(() => list.remove(first), { message: /in this list/ })
})
