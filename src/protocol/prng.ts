/**
 * The only source of chance in the protocol: a seeded generator (sfc32, Chris Doty-Humphrey, PractRand), so that two
 * runs of one event log give byte-equal effects.
 */

/** A seeded generator; state is four 32-bit words. */
export class Prng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** Any finite number is a good seed; the first outputs are thrown away to mix it. */
  constructor(seed: number) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 4294967296) >>> 0
    this.#c = 0x9e3779b9
    for (let round = 0; round < 12; round++) this.next()
  }

  /** A float in [0, 1). */
  next(): number {
    const result = (((this.#a + this.#b) >>> 0) + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0
    return result / 4294967296
  }

  /** An integer in 0 … bound − 1. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /** One of the items; undefined if there are none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }

  /** A new array in random order (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items]
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const held = result[last] as T
      result[last] = result[other] as T
      result[other] = held
    }
    return result
  }
}
