/** fergies-inverted-index, the inverted index that search-index is built on. */

import { InvertedIndex } from 'fergies-inverted-index'
import { test } from 'tap'
import { type Ground, sameProgram } from './same-program.js'

test('fergies-inverted-index: a program sees the same on a cluster of which a node dies', (t) => {
  return sameProgram(t, 25, program)
})

const COLOURS = ['red', 'green', 'blue', 'black']
const MAKES = ['BMW', 'Tesla', 'Volvo', 'Fiat', 'Škoda']

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const seen: unknown[] = []
  const index = new InvertedIndex({ name: location, Level })
  const see = async (answer: Promise<unknown>): Promise<void> => {
    seen.push(await answer)
  }
  const query = async (): Promise<void> => {
    await see(index.GET('make:Tesla'))
    await see(index.AND(['make:BMW', 'colour:red']))
    await see(index.OR(['make:Škoda', 'make:Fiat']))
    await see(index.NOT(index.GET('colour:black'), index.GET('make:Volvo')))
    await see(index.GET({ FIELD: 'year', VALUE: { GTE: 2003, LTE: 2005 } }))
    await see(index.AND(['make:BMW', 'colour:blue']).then(index.OBJECT))
    await see(index.DISTINCT({ FIELD: 'make' }))
    await see(index.FACETS({ FIELD: 'colour' }))
    await see(index.BUCKETS({ FIELD: 'year', VALUE: { LTE: 2004 } }, { FIELD: 'year', VALUE: { GTE: 2005 } }))
    await see(Promise.all([index.MIN('year'), index.MAX('year'), index.FIELDS()]))
  }
  const cars = Array.from({ length: 400 }, (_, number) => carOf(number))
  for (let from = 0; from < cars.length; from += 40) {
    await see(index.PUT(cars.slice(from, from + 40)))
    if (from === 200) await crash(index.STORE)
  }
  await query()
  await crash(index.STORE)
  await see(index.DELETE(cars.filter(({ _id }) => _id % 5 === 0).map(({ _id }) => _id)))
  await query()
  const kept = await index.EXPORT()
  // But for the times at which it was made and changed.
  seen.push(kept.filter(({ key: [kind] }) => kind !== '~CREATED' && kind !== '~LAST_UPDATED'))
  await index.STORE.close()
  return seen
}

function carOf(number: number) {
  return {
    _id: number,
    make: MAKES[number % MAKES.length],
    colour: COLOURS[number % COLOURS.length],
    year: 2000 + (number % 9),
    owner: { name: `owner ${number % 50}`, town: number % 2 === 0 ? 'Genève' : 'Köln' },
  }
}
