/** The witness says what was written last, or what was written before that if the last write tore. */

import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { readBootId } from '../../src/storage/boot-id.js'
import { readWitness, type Witness, WitnessFile } from '../../src/storage/witness.js'
import { flipBit } from './arbitraries.js'
import { temporaryFolder } from './leveldb-stores.js'

const first: Witness = {
  storeId: '0123456789abcdef',
  sequence: 1,
  bootId: 'ffeeddccbbaa99887766554433221100',
  durability: 'process',
  closed: false,
}
const SLOT_BYTES = 512

test('witness: what was written last is read', async (t) => {
  const path = join(temporaryFolder(t), 'witness')
  t.equal(readWitness(path), 'absent')
  const file = await WitnessFile.open(path, first)
  t.same(readWitness(path), first)
  for (let sequence = 2; sequence < 9; sequence++) {
    file.write({ sequence, durability: 'disk', closed: sequence === 8 })
    t.same(readWitness(path), { ...first, sequence, durability: 'disk', closed: sequence === 8 })
  }
  await file.sync()
  await file.close()
})

test('witness: a new life goes on after the last one and takes `closed` back', async (t) => {
  const path = join(temporaryFolder(t), 'witness')
  const before = await WitnessFile.open(path, first)
  before.write({ sequence: 2 ** 40, durability: 'process', closed: true })
  await before.close()
  const file = await WitnessFile.open(path, { ...first, sequence: 2 ** 40 })
  t.same(readWitness(path), { ...first, sequence: 2 ** 40 })
  await file.close()
})

test('witness: a torn or flipped slot leaves the other one', async (t) => {
  const path = join(temporaryFolder(t), 'witness')
  const file = await WitnessFile.open(path, first)
  file.write({ sequence: 2, durability: 'process', closed: false })
  file.write({ sequence: 3, durability: 'process', closed: false })
  await file.close()
  const whole = readFileSync(path)
  const newest = whole.readDoubleLE(16) === 3 ? 0 : SLOT_BYTES
  const older = SLOT_BYTES - newest
  const property = fc.property(fc.nat(52 * 8 - 1), fc.constantFrom(newest, older), (bit, slot) => {
    writeFileSync(path, flipBit(whole, slot * 8 + bit))
    t.same(readWitness(path), { ...first, sequence: slot === newest ? 2 : 3 })
  })
  fc.assert(property, { numRuns: 200 })
})

test('witness: a file without a good slot is damaged, an empty one absent', async (t) => {
  const path = join(temporaryFolder(t), 'witness')
  await (await WitnessFile.open(path, first)).close()
  writeFileSync(path, Buffer.alloc(600))
  t.equal(readWitness(path), 'damaged')
  truncateSync(path, 10)
  t.equal(readWitness(path), 'damaged')
  truncateSync(path, 0)
  t.equal(readWitness(path), 'absent')
  writeFileSync(path, Buffer.alloc(600))
  const file = await WitnessFile.open(path, first)
  t.same(readWitness(path), first, 'and is written anew')
  await file.close()
})

test('boot id: 32 hex digits, the same twice', async (t) => {
  t.match(readBootId(Date.now()), /^[0-9a-f]{32}$/)
  t.equal(readBootId(1_700_000_000_000), readBootId(1_700_000_000_000))
})
