/** What classic-level alone does: one database read by an iterator, written into another in batches. The least that a transfer can cost. */

import { ClassicLevel } from 'classic-level'

/** As many as one batch of the nodes has, more or less. */
const ENTRIES = 1_000
const READ_AHEAD_BYTES = 1_048_576

export interface Copied {
  readonly entries: number
  readonly tookMs: number
}

/** Only of folders that nobody has open. */
export async function copyPlainly(from: string, to: string): Promise<Copied> {
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
  const [source, target] = [from, to].map((folder) => new ClassicLevel<Buffer, Buffer>(folder, options)) as [
    ClassicLevel<Buffer, Buffer>,
    ClassicLevel<Buffer, Buffer>,
  ]
  await source.open()
  await target.open()
  const startMs = performance.now()
  let entries = 0
  const iterator = source.iterator({ highWaterMarkBytes: READ_AHEAD_BYTES })
  for (;;) {
    const found = await iterator.nextv(ENTRIES)
    if (found.length === 0) break
    await target.batch(found.map(([key, value]) => ({ type: 'put', key, value })))
    entries += found.length
  }
  const tookMs = performance.now() - startMs
  await iterator.close()
  await source.close()
  await target.close()
  return { entries, tookMs }
}
