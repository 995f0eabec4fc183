/** The core workloads of YCSB as shares of requests (Cooper et al. 2010, table 2; `workloads/workload?` of its repository). */

/** What a request can be. */
export type RequestKind = 'read' | 'update' | 'insert' | 'scan' | 'readModifyWrite'

export interface Mix {
  readonly name: 'A' | 'B' | 'C' | 'E' | 'F'
  readonly about: string
  readonly shares: Partial<Readonly<Record<RequestKind, number>>>
}

/** The longest scan of E; lengths are uniform from 1 on. */
export const SCAN_LENGTH_MAX = 100

export const MIXES: readonly Mix[] = [
  { name: 'A', about: 'half reads, half updates', shares: { read: 0.5, update: 0.5 } },
  { name: 'B', about: '95 % reads, 5 % updates', shares: { read: 0.95, update: 0.05 } },
  { name: 'C', about: 'reads', shares: { read: 1 } },
  { name: 'E', about: '95 % scans of 1 to 100, 5 % inserts', shares: { scan: 0.95, insert: 0.05 } },
  { name: 'F', about: 'half reads, half read-modify-writes', shares: { read: 0.5, readModifyWrite: 0.5 } },
]

/** The kind that a number in [0, 1) falls on. */
export function kindOf(mix: Mix, uniform: number): RequestKind {
  let below = 0
  const kinds = Object.entries(mix.shares) as [RequestKind, number][]
  for (const [kind, share] of kinds) {
    below += share
    if (uniform < below) return kind
  }
  return kinds.at(-1)?.[0] ?? 'read'
}
