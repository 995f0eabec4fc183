import { openCluster } from 'coterie'

export async function firstKey(location: string): Promise<string | undefined> {
  const cluster = await openCluster({ location, nodes: 3 })
  try {
    await cluster.put('k', 'v')
    const value: Uint8Array | undefined = await cluster.get('k')
    for await (const [key] of cluster.scan({ limit: 1 })) return Buffer.from(key).toString()
    return value === undefined ? undefined : Buffer.from(value).toString()
  } finally {
    const statuses: readonly string[] = cluster.status().nodes.map((node) => node.status)
    console.log(statuses.join(' '))
    await cluster.close()
  }
}

// @ts-expect-error a cluster has a location: the types must say so
export const wrong = openCluster({ nodes: 'three' })
