/** What the stores of a closed cluster hold, compared. */

import { ClassicLevel } from 'classic-level'
import { dataKey } from '../../src/storage/keyspace.js'
import { nodeFolders } from '../../src/storage/layout.js'

/** Who owns each key. */
export type OwnersByKey = ReadonlyMap<string, readonly string[]>

/** Keys (ASCII) that not all of their owners have, or have with different bytes. The cluster must be closed. */
export async function differingKeys(location: string, owners: OwnersByKey): Promise<string[]> {
  const seen = new Map<string, Set<string>>()
  for (const node of new Set([...owners.values()].flat())) {
    const level = new ClassicLevel<Buffer, Buffer>(nodeFolders(location, node).store, {
      createIfMissing: false,
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    await level.open()
    for (const [key, nodes] of owners) {
      if (!nodes.includes(node)) continue
      const record = await level.get(dataKey(key))
      seen.set(key, (seen.get(key) ?? new Set()).add(record?.toString('hex') ?? 'nothing'))
    }
    await level.close()
  }
  return [...seen].filter(([, records]) => records.size !== 1 || records.has('nothing')).map(([key]) => key)
}
