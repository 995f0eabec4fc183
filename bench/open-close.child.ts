/** One sample of `open-close.ts`: opens, writes a few records, says how long that took, closes when told. */

/** What it says once open. */
export interface OpenReport {
  readonly importMs: number
  readonly openMs: number
}

const [location = '', records = '0'] = process.argv.slice(2)
// An orphan must not live on: if the parent ends before it says what to do, so does this.
const orphaned = (): never => process.exit(1)
process.once('disconnect', orphaned)

const importedFrom = performance.now()
const { openCluster } = await import('../src/index.js')
const openedFrom = performance.now()
const cluster = await openCluster({ location, nodes: 5 })
const openMs = performance.now() - openedFrom

const value = Buffer.alloc(100, 'x')
const operations = Array.from(
  { length: Number(records) },
  (_, number) => ({ type: 'put', key: `key ${number}`, value }) as const,
)
await cluster.batch(operations)

process.once('message', async () => {
  process.off('disconnect', orphaned)
  const closedFrom = performance.now()
  await cluster.close()
  process.send?.({ closeMs: performance.now() - closedFrom }, () => process.disconnect())
})
process.send?.({ importMs: openedFrom - importedFrom, openMs } satisfies OpenReport)
