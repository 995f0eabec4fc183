/** The generators of the bench against the theory of what they draw, from seeds. */

import { test } from 'tap'
import { makeChance } from '../../../bench/harness.js'
import { drawerOf, makeChooser } from '../../../bench/ycsb/distributions.js'
import { fnvHashModulo } from '../../../bench/ycsb/fnv.js'
import { kindOf, MIXES } from '../../../bench/ycsb/mixes.js'
import { Zipfian, zeta } from '../../../bench/ycsb/zipfian.js'

const DRAWS = 200_000

/** How often each was drawn, as shares. */
function sharesOf(items: number, draw: () => number): number[] {
  const counts = new Array<number>(items).fill(0)
  for (let number = 0; number < DRAWS; number++) {
    const drawn = draw()
    counts[drawn] = (counts[drawn] ?? Number.NaN) + 1
  }
  return counts.map((count) => count / DRAWS)
}

/** Five standard errors of a share that is drawn so often. */
function errorOf(share: number): number {
  return 5 * Math.sqrt((share * (1 - share)) / DRAWS)
}

test('zeta: the sums are those of the definition', (t) => {
  t.equal(zeta(1, 0.99), 1)
  t.ok(Math.abs(zeta(3, 0.5) - (1 + 1 / Math.sqrt(2) + 1 / Math.sqrt(3))) < 1e-12)
  t.end()
})

test('zipfian: rank i comes with probability (1 / (i + 1)^0.99) / zeta', (t) => {
  const items = 1_000
  const zipfian = new Zipfian({ items })
  const chance = makeChance(1)
  const shares = sharesOf(items, () => zipfian.rank(chance()))
  const theory = (rank: number) => 1 / (rank + 1) ** 0.99 / zeta(items, 0.99)
  for (const rank of [0, 1]) {
    const expected = theory(rank)
    t.ok(Math.abs((shares[rank] ?? 0) - expected) < errorOf(expected), `rank ${rank}: ${shares[rank]}, not ${expected}`)
  }
  // The others are an approximation of the inverse: Gray et al. promise the distribution function, not each rank.
  for (const below of [10, 100, 500]) {
    const sum = (share: (rank: number) => number) =>
      Array.from({ length: below }, (_, rank) => share(rank)).reduce((a, b) => a + b)
    const [drawn, expected] = [sum((rank) => shares[rank] ?? 0), sum(theory)]
    t.ok(Math.abs(drawn - expected) < 0.02, `below ${below}: ${drawn}, not ${expected}`)
  }
  t.end()
})

test('zipfian: never beyond the last item, whatever the number', (t) => {
  const zipfian = new Zipfian({ items: 10 })
  t.equal(zipfian.rank(0), 0)
  t.equal(zipfian.rank(1 - 2 ** -32), 9)
  t.equal(zipfian.rank(1), 9)
  t.end()
})

test('fnv: as FNV-1a of eight bytes in whole numbers of any size, its sign dropped', (t) => {
  const reference = (value: number, modulus: number): number => {
    let hash = 0xcbf29ce484222325n
    for (let byte = 0n; byte < 8n; byte++) {
      hash ^= (BigInt(value) >> (8n * byte)) & 0xffn
      hash = BigInt.asUintN(64, hash * 1_099_511_628_211n)
    }
    const signed = BigInt.asIntN(64, hash)
    return Number((signed < 0n ? -signed : signed) % BigInt(modulus))
  }
  const chance = makeChance(2)
  for (let round = 0; round < 2_000; round++) {
    const value = Math.floor(chance() * 10_000_000_000)
    const modulus = 1 + Math.floor(chance() * 2 ** 26)
    if (fnvHashModulo(value, modulus) !== reference(value, modulus)) t.fail(`${value} mod ${modulus}`)
  }
  t.equal(fnvHashModulo(0, 1_000), reference(0, 1_000))
  t.end()
})

test('scrambled zipfian: the most popular has its share of 10^10 items, and is not where the first key is', (t) => {
  const items = 1_000
  const draw = drawerOf('zipfian', items)
  const chance = makeChance(3)
  const shares = sharesOf(items, () => draw(chance()))
  const popular = fnvHashModulo(0, items)
  // Beside its own share it has the thousandth part of what all others have, by the hash.
  const expected = 1 / 26.46902820178302
  const found = shares[popular] ?? 0
  t.equal(shares.indexOf(Math.max(...shares)), popular)
  t.ok(found > expected - errorOf(expected) && found < expected + 0.005, `${found}, not ${expected}`)
  t.not(popular, 0)
  t.ok(
    shares.every((share) => share > 0),
    'every record is asked for',
  )
  t.end()
})

test('uniform: every record as often as another', (t) => {
  const items = 100
  const draw = drawerOf('uniform', items)
  const chance = makeChance(4)
  const shares = sharesOf(items, () => draw(chance()))
  t.ok(shares.every((share) => Math.abs(share - 0.01) < errorOf(0.01)))
  t.end()
})

test('latest: counted back from the newest, which is the most popular, also as records come', (t) => {
  const items = 1_000
  const chooser = makeChooser('latest', items, 5)
  const shares = sharesOf(items, () => chooser.next(items))
  const expected = 1 / zeta(items, 0.99)
  t.ok(Math.abs((shares[items - 1] ?? 0) - expected) < errorOf(expected))
  t.ok((shares[items - 2] ?? 0) > (shares[0] ?? 0))
  const later = Array.from({ length: 1_000 }, () => chooser.next(2 * items))
  t.ok(later.every((record) => record >= items && record < 2 * items))
  t.end()
})

test('chooser: the same seed draws the same records, for whoever asks', (t) => {
  const first = makeChooser('zipfian', 500, 6)
  const second = makeChooser('zipfian', 500, 6)
  const draws = Array.from({ length: 100 }, () => first.next(500))
  t.same(
    Array.from({ length: 100 }, () => second.next(500)),
    draws,
  )
  t.end()
})

test('mixes: every kind as often as its share says', (t) => {
  const chance = makeChance(7)
  for (const mix of MIXES) {
    const counts = new Map<string, number>()
    for (let draw = 0; draw < DRAWS; draw++) {
      const kind = kindOf(mix, chance())
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    const shares = Object.entries(mix.shares)
    t.equal(counts.size, shares.length, mix.name)
    for (const [kind, share] of shares)
      t.ok(Math.abs((counts.get(kind) ?? 0) / DRAWS - share) <= errorOf(share), `${mix.name}: ${kind}`)
    t.equal(
      shares.reduce((sum, [, share]) => sum + share, 0),
      1,
    )
  }
  t.end()
})
