/**
 * Random calls on a cluster of which nodes die and on memory-level, both with sublevels: they must answer alike. Not classic-level:
 * its iterators count what they have read ahead when they seek, and LevelDB aborts the process over some seeks.
 */

import type { AbstractLevel, AbstractSublevel } from 'abstract-level'
import { MemoryLevel } from 'memory-level'
import { type Test, test } from 'tap'
import { Prng } from '../../src/protocol/prng.js'
import { folderForTest } from '../support/cluster.js'
import { SmallLevel } from '../support/small-level.js'

const SEEDS = [1, 2, 3, 4]
const CALLS = 1_000
const CRASH_EVERY = 250
/** Of which keys are made: the empty one, zero bytes, what sublevels put around their names, the last of what UTF-8 has. */
const PARTS = ['', '\0', '\0\0', '\x01', '!', 'a', 'a\0', 'b', 'zz', '\x7f', 'é', '\u{10ffff}']

type Database = AbstractLevel<string | Uint8Array, string, string>
type Sublevel = AbstractSublevel<Database, string | Uint8Array, string, string>
type Kind = 'put' | 'del' | 'get' | 'getMany' | 'batch' | 'chained' | 'clear' | 'all' | 'steps'
/** What is done to a database and its sublevels, and what it answered. */
type Call = (stores: readonly (Database | Sublevel)[]) => Promise<unknown>
type Range = Record<string, string | number | boolean>

for (const seed of SEEDS) {
  test(`random calls are answered as by memory-level (seed ${seed})`, async (t) => {
    const cluster = new SmallLevel<string, string>(await folderForTest(t))
    const memory = new MemoryLevel<string, string>()
    t.teardown(() => Promise.all([cluster.close(), memory.close()]))
    await cluster.open()
    await compare(t, cluster, memory, new Calls(seed))
  })
}

async function compare(t: Test, cluster: SmallLevel, memory: MemoryLevel<string, string>, calls: Calls): Promise<void> {
  const ofCluster = storesOf(cluster as Database)
  const ofMemory = storesOf(memory as unknown as Database)
  for (let number = 1; number <= CALLS; number++) {
    const { name, call } = calls.next()
    const [found, wanted] = await Promise.all([call(ofCluster), call(ofMemory)])
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      t.same(found, wanted, `call ${number}: ${name}`)
      return
    }
    if (number % CRASH_EVERY === 0) await cluster.cluster.faults.crash(`node${1 + ((number / CRASH_EVERY) % 3)}`)
  }
  const [found, wanted] = await Promise.all([cluster.iterator().all(), memory.iterator().all()])
  t.same(found, wanted)
  t.ok(wanted.length > 0)
}

/** The database, a sublevel, one in it, and one whose name begins as theirs. */
function storesOf(db: Database): (Database | Sublevel)[] {
  const outer = db.sublevel('s')
  return [db, outer as Sublevel, outer.sublevel('t') as unknown as Sublevel, db.sublevel('st') as Sublevel]
}

class Calls {
  readonly #prng: Prng

  constructor(seed: number) {
    this.#prng = new Prng(seed)
  }

  next(): { readonly name: string; readonly call: Call } {
    const at = this.#below(4)
    const kind = this.#oneOf<Kind>(['put', 'put', 'del', 'get', 'getMany', 'batch', 'chained', 'clear', 'all', 'steps'])
    const { facts, call } = this.#made(kind)
    return {
      name: `${kind} in ${at}: ${JSON.stringify(facts)}`,
      call: (stores) => call(stores[at] as Database, stores),
    }
  }

  #made(kind: Kind): {
    facts: unknown
    call: (db: Database, stores: readonly (Database | Sublevel)[]) => Promise<unknown>
  } {
    const key = this.#key()
    switch (kind) {
      case 'put': {
        const value = this.#value()
        return { facts: { key, value }, call: (db) => db.put(key, value) }
      }
      case 'del':
        return { facts: key, call: (db) => db.del(key) }
      case 'get':
        return { facts: key, call: async (db) => [await db.get(key), await db.has(key)] }
      case 'getMany': {
        const keys = this.#several(6, () => this.#key())
        return { facts: keys, call: async (db) => [await db.getMany(keys), await db.hasMany(keys)] }
      }
      case 'batch': {
        const facts = this.#several(12, () => ({ ...this.#operation(), at: this.#below(4) }))
        const of = (stores: readonly unknown[]) =>
          facts.map(({ at, ...rest }) => ({ ...rest, sublevel: at === 0 ? undefined : stores[at] }))
        return { facts, call: (_, stores) => (stores[0] as Database).batch(of(stores) as never) }
      }
      case 'chained': {
        const facts = this.#several(12, () => this.#operation())
        return { facts, call: (db) => chained(db, facts) }
      }
      case 'clear': {
        // Now and then: all that was written would be gone too soon.
        const facts = this.#below(4) === 0 ? this.#range() : { gte: key, lt: `${key}b` }
        return { facts, call: (db) => db.clear(facts) }
      }
      case 'all': {
        const facts = this.#range()
        return { facts, call: (db) => db.iterator(facts).all() }
      }
      case 'steps': {
        const range = this.#range()
        const steps = this.#several(8, () => ({ seek: this.#key(), size: this.#below(4) }))
        return { facts: { range, steps }, call: (db) => stepped(db, range, steps) }
      }
      default:
        return kind satisfies never
    }
  }

  #range(): Range {
    const range: Range = {}
    for (const bound of ['gt', 'gte', 'lt', 'lte']) if (this.#below(4) === 0) range[bound] = this.#key()
    if (this.#below(2) === 0) range['reverse'] = true
    if (this.#below(3) === 0) range['limit'] = this.#below(12) - 1
    return range
  }

  #operation() {
    const key = this.#key()
    return this.#below(4) === 0 ? { type: 'del' as const, key } : { type: 'put' as const, key, value: this.#value() }
  }

  #key(): string {
    return this.#several(4, () => this.#oneOf(PARTS)).join('')
  }

  #value(): string {
    return this.#below(8) === 0 ? '' : `value ${this.#below(1_000)}`.repeat(1 + this.#below(5))
  }

  #several<Item>(limit: number, make: () => Item): Item[] {
    return Array.from({ length: this.#below(limit) }, make)
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item
  }

  #below(limit: number): number {
    return this.#prng.below(limit)
  }
}

function chained(
  db: Database,
  operations: readonly { type: 'put' | 'del'; key: string; value?: string }[],
): Promise<void> {
  const batch = db.batch()
  for (const { type, key, value = '' } of operations) {
    if (type === 'put') batch.put(key, value)
    else batch.del(key)
  }
  return batch.write()
}

/** A size of 0 seeks, of 1 reads one, of more reads at most so many. */
async function stepped(
  db: Database,
  range: Range,
  steps: readonly { seek: string; size: number }[],
): Promise<unknown[]> {
  const iterator = db.iterator(range)
  const seen: unknown[] = []
  for (const { seek, size } of steps) {
    if (size === 0) iterator.seek(seek)
    else seen.push(size === 1 ? await iterator.next() : await iterator.nextv(size))
  }
  await iterator.close()
  return seen
}
