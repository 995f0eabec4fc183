/**
 * Which record a request is for: zipfian (scrambled), uniform or latest, as in YCSB. The draws are made before the measurement,
 * so that it does not pay for them, and are the same for every subject.
 */

import { makeChance } from '../harness.js'
import { fnvHashModulo } from './fnv.js'
import { Zipfian } from './zipfian.js'

export const DISTRIBUTIONS = ['zipfian', 'uniform', 'latest'] as const
export type Distribution = (typeof DISTRIBUTIONS)[number]

/** YCSB's scrambled zipfian draws among ten thousand million ranks whatever the records are, and folds them by a hash. */
const SCRAMBLED_ITEMS = 10_000_000_000
/** ζ(10¹⁰, 0.99), the constant of YCSB's `ScrambledZipfianGenerator`. */
const SCRAMBLED_ZETA = 26.46902820178302

/**
 * Draws that are made beforehand; then they begin again. So many that no cache keeps all that they name where it could not keep all
 * records: with a quarter of a million, a cache of 32 MB held every key that was asked for, of ten million records too.
 */
const DRAWS = 1 << 22

/** Chooses records. */
export interface Chooser {
  /** A record's number, 0 … records − 1. Of `latest`, counted back from the newest. */
  next(records: number): number
}

/** Made once for everybody who asks for the same: it takes a tenth of a second. */
const known = new Map<string, Uint32Array>()

/** Draws among `records`; the same for the same seed. */
export function makeChooser(distribution: Distribution, records: number, seed: number): Chooser {
  const name = `${distribution}|${records}|${seed}`
  const drawn = known.get(name) ?? drawMany(distribution, records, makeChance(seed))
  known.set(name, drawn)
  const isLatest = distribution === 'latest'
  let at = 0
  return {
    next: (newest) => {
      const draw = drawn[at] ?? 0
      at = (at + 1) % DRAWS
      return isLatest ? newest - 1 - draw : draw
    },
  }
}

function drawMany(distribution: Distribution, records: number, chance: () => number): Uint32Array {
  const draws = new Uint32Array(DRAWS)
  const draw = drawerOf(distribution, records)
  for (let at = 0; at < DRAWS; at++) draws[at] = draw(chance())
  return draws
}

/** A record's number (of `latest`, its distance from the newest) for a number in [0, 1). */
export function drawerOf(distribution: Distribution, records: number): (uniform: number) => number {
  if (distribution === 'uniform') return (uniform) => Math.floor(uniform * records)
  if (distribution === 'latest') {
    const zipfian = new Zipfian({ items: records })
    return (uniform) => zipfian.rank(uniform)
  }
  const zipfian = new Zipfian({ items: SCRAMBLED_ITEMS, zetaOfItems: SCRAMBLED_ZETA })
  return (uniform) => fnvHashModulo(zipfian.rank(uniform), records)
}
