/** Calls at random on a few keys, one after the other, and what a plain map says that they show. The seed tells the whole run. */

import type { BatchOperation, Cluster } from '../../src/index.js'
import { Prng } from '../../src/protocol/prng.js'
import { collect, textOf } from '../support/cluster.js'

const KEYS = Array.from({ length: 40 }, (_, number) => `${'abcd'[number % 4]}{${number % 7}}${number}`)

export class DoorModel {
  readonly #cluster: Cluster
  readonly #prng: Prng
  readonly #map = new Map<string, string>()
  readonly #wrong: string[] = []

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster
    this.#prng = new Prng(seed)
  }

  /** What was other than the map says. */
  async run(steps: number): Promise<string[]> {
    for (let step = 0; step < steps; step++) await this.#step(step)
    await this.#scan({})
    return this.#wrong
  }

  async #step(step: number): Promise<void> {
    const key = this.#key()
    switch (this.#prng.below(7)) {
      case 0:
      case 1:
        this.#map.set(key, `${step}`)
        return this.#cluster.put(key, `${step}`)
      case 2:
        this.#map.delete(key)
        return this.#cluster.delete(key)
      case 3:
        return this.#batch(step)
      case 4:
        return this.#check(`get ${key}`, textOf(await this.#cluster.get(key)), this.#map.get(key))
      case 5: {
        const keys = [key, this.#key(), this.#key()]
        const found = (await this.#cluster.getMany(keys)).map(textOf)
        return this.#check(
          `getMany ${keys}`,
          found,
          keys.map((one) => this.#map.get(one)),
        )
      }
      default: {
        const reverse = this.#prng.below(2) === 0
        return this.#scan({ gte: key, lt: this.#key(), reverse, limit: 1 + this.#prng.below(20) })
      }
    }
  }

  async #batch(step: number): Promise<void> {
    const operations = Array.from({ length: 1 + this.#prng.below(10) }, (_, index): BatchOperation => {
      const key = this.#key()
      const isDelete = this.#prng.below(3) === 0
      if (isDelete) this.#map.delete(key)
      else this.#map.set(key, `${step}.${index}`)
      return isDelete ? { type: 'del', key } : { type: 'put', key, value: `${step}.${index}` }
    })
    await this.#cluster.batch(operations, { logged: this.#prng.below(4) === 0 })
  }

  async #scan(options: { gte?: string; lt?: string; reverse?: boolean; limit?: number }): Promise<void> {
    const { gte = '', lt = '\xff', reverse = false, limit = Number.POSITIVE_INFINITY } = options
    const rows = [...this.#map].filter(([key]) => key >= gte && key < lt).sort(([a], [b]) => (a < b ? -1 : 1))
    if (reverse) rows.reverse()
    const found = (await collect(this.#cluster.scan(options))).map(([key, value]) => [textOf(key), textOf(value)])
    this.#check(`scan ${JSON.stringify(options)}`, found, rows.slice(0, limit))
  }

  #key(): string {
    return KEYS[this.#prng.below(KEYS.length)] as string
  }

  #check(what: string, found: unknown, wanted: unknown): void {
    const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)]
    if (is !== should) this.#wrong.push(`${what}: ${is} instead of ${should}`)
  }
}
