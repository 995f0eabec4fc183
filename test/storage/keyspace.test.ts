/** Stored keys lie in the order of the users' keys and of the hints' ids, and each kind in a range of its own. */

import fc from 'fast-check'
import { test } from 'tap'
import {
  dataBounds,
  dataKey,
  HINT_BOUNDS,
  hintKey,
  IDENTITY_KEY,
  idOfHint,
  keyOfData,
  META_BOUNDS,
  metaKey,
  nameOfMeta,
} from '../../src/storage/keyspace.js'
import { keys } from './arbitraries.js'

const ids = fc.nat({ max: Number.MAX_SAFE_INTEGER })

test('keyspace: order and names survive', async (t) => {
  const property = fc.property(keys, keys, ids, ids, fc.string({ unit: 'binary' }), (a, b, one, other, name) => {
    const text = Buffer.from(name).toString() // what UTF-8 can say
    return (
      Math.sign(Buffer.compare(dataKey(a), dataKey(b))) === (a === b ? 0 : a < b ? -1 : 1) &&
      Math.sign(Buffer.compare(hintKey(one), hintKey(other))) === Math.sign(one - other) &&
      keyOfData(dataKey(a)) === a &&
      idOfHint(hintKey(one)) === one &&
      nameOfMeta(metaKey(text)) === text
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 41 }))
})

test('keyspace: no range of one kind takes in another', async (t) => {
  const all = dataBounds({ reverse: false })
  const inData = (key: Buffer) =>
    Buffer.compare(key, all.gte as Buffer) >= 0 && Buffer.compare(key, all.lt as Buffer) < 0
  const isIn = (key: Buffer, { gte, lt }: { gte: Buffer; lt: Buffer }) =>
    Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lt) < 0
  const property = fc.property(keys, ids, fc.string(), (key, id, name) => {
    const kinds = (one: Buffer) => [
      inData(one),
      isIn(one, HINT_BOUNDS),
      isIn(one, META_BOUNDS),
      one.equals(IDENTITY_KEY),
    ]
    const rows = [dataKey(key), hintKey(id), metaKey(name), IDENTITY_KEY].map(kinds)
    return rows.every((row, kind) => row.every((found, index) => found === (index === kind)))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300, seed: 42 }))
})
