import { CoterieLevel, openCluster } from 'coterie'
import { type Health, healthOf, logEvents } from 'coterie/observe'

export async function firstKey(location: string): Promise<string | undefined> {
  const cluster = await openCluster({ location, nodes: 3 })
  try {
    await cluster.put('k', 'v')
    const value: Uint8Array | undefined = await cluster.get('k')
    for await (const [key] of cluster.scan({ limit: 1 })) return Buffer.from(key).toString()
    return value === undefined ? undefined : Buffer.from(value).toString()
  } finally {
    const { ready }: Health = healthOf(cluster)
    const log = (facts: object, message: string) => console.log(facts, message, ready)
    logEvents(cluster, { debug: log, info: log, warn: log, error: log, fatal: log })()
    const statuses: readonly string[] = cluster.status().nodes.map((node) => node.status)
    console.log(statuses.join(' '))
    await cluster.close()
  }
}

export async function asLevel(location: string): Promise<{ born: number } | undefined> {
  const db = new CoterieLevel<string, { born: number }>(location, { valueEncoding: 'json', nodes: 3 })
  await db.put('ada', { born: 1815 }, { w: 3 })
  for await (const [key, value] of db.iterator({ gte: 'a', r: 2 })) console.log(key.length, value.born)
  const name: string | undefined = await db.sublevel('people').get('ada')
  console.log(name, db.cluster.status().epoch)
  return db.get('ada', { r: 1 })
}

// @ts-expect-error a cluster has a location: the types must say so
export const wrong = openCluster({ nodes: 'three' })
