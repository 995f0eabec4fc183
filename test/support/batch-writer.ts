/** Batches that are to be there as a whole: each caller has keys in several partitions, and writes one number to all of them at a time. */

import type { KeyValueStore } from '../../src/index.js'

const CALLERS = 16
const KEYS = 6

/** What a writer in another thread or process is told. */
export interface WriterTask {
  /** It numbers its batches from here on. */
  readonly from: number
  readonly logged: boolean
}

/** Writes until its thread or its process ends. `onWritten`: a batch is acknowledged. */
export async function writeBatches(
  store: KeyValueStore,
  { from, logged }: WriterTask,
  onWritten: (number: number) => void,
): Promise<never> {
  const write = async (caller: number): Promise<never> => {
    for (let number = from; ; number++) {
      const operations = keysOf(caller).map((key) => ({ type: 'put' as const, key, value: String(number) }))
      await store.batch(operations, { logged })
      onWritten(number)
    }
  }
  return Promise.race(Array.from({ length: CALLERS }, (_, caller) => write(caller)))
}

export interface Groups {
  /** Whose keys do not all hold the same number. */
  readonly broken: readonly string[]
  readonly highest: number
}

/** What the writers have left, read from all owners. */
export async function groupsOf(store: KeyValueStore): Promise<Groups> {
  const groups = await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) =>
      (await store.getMany(keysOf(caller), { r: 3 })).map((value) =>
        value === undefined ? 0 : Number(value.toString()),
      ),
    ),
  )
  return {
    broken: groups.filter((numbers) => new Set(numbers).size > 1).map((numbers) => numbers.join(' ')),
    highest: Math.max(...groups.flat()),
  }
}

function keysOf(caller: number): string[] {
  return Array.from({ length: KEYS }, (_, place) => `group ${caller}, key ${place}`)
}
