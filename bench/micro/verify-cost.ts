/**
 * What it costs to verify a store's files before LevelDB opens it: MB/s and seconds per GB, tables with and without compression,
 * a log, and the second time, when the tables are known.
 *
 *     node dist/bench/micro/verify-cost.js [megabytes]
 *
 * Reads from the page cache, so it measures computing; a cold disk adds its own time. One thread.
 */
import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { createPool } from '../../actors/pool.js'
import { scrubStoreTables } from '../../src/storage/scrub-store.js'
import { type VerifyOptions, type VerifyReport, verifyStoreFiles } from '../../src/storage/verify-store.js'

const MEGABYTE = 1e6
const VALUE_BYTES = 100
const BATCH = 1000
const RUNS = 5
const SCRUB_SLICE_BYTES = 2_097_152

const megabytes = Number(process.argv[2] ?? 200)
const folder = mkdtempSync(join(tmpdir(), 'coterie-verify-cost-'))
try {
  for (const compression of [true, false]) {
    const store = join(folder, `compression-${compression}`)
    await fill(store, megabytes * MEGABYTE, { compression })
    const first = measure(`tables, compression ${compression}`, store)
    measure('  the same, tables known', store, { knownFiles: first.files })
    measureScrub(store)
    if (compression) await measureInPool(store)
  }
  const store = join(folder, 'log')
  await fill(store, 50 * MEGABYTE, { writeBufferSize: 100 * MEGABYTE, batch: 1 })
  measure('log, one record a put', store)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface Shape {
  readonly compression?: boolean
  readonly writeBufferSize?: number
  readonly batch?: number
}

/** Half of each value is random, so that compression halves it. */
async function fill(store: string, bytes: number, { batch = BATCH, ...options }: Shape): Promise<void> {
  const database = new ClassicLevel<string, Uint8Array>(store, { valueEncoding: 'view', ...options })
  await database.open()
  const rows = Math.floor(bytes / (VALUE_BYTES + 16))
  for (let row = 0; row < rows; row += batch) {
    const chained = database.batch()
    for (let one = row; one < row + batch; one++) {
      const value = Buffer.alloc(VALUE_BYTES, 'coterie ')
      randomFillSync(value, 0, VALUE_BYTES / 2)
      chained.put(`row-${String(one).padStart(12, '0')}`, value)
    }
    await chained.write()
  }
  await database.close()
}

function measure(name: string, store: string, options: VerifyOptions = {}): VerifyReport {
  let best = Number.POSITIVE_INFINITY
  let report = verifyStoreFiles(store, options)
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    report = verifyStoreFiles(store, options)
    best = Math.min(best, performance.now() - start)
  }
  print(name, report, best)
  return report
}

/** As a scrub reads them, without its pauses: MANIFEST again for each slice. */
function measureScrub(store: string): void {
  let best = Number.POSITIVE_INFINITY
  let bytes = 0
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    bytes = 0
    for (let after: number | undefined = 0; after !== undefined; ) {
      const report = scrubStoreTables(store, { after, bytesMax: SCRUB_SLICE_BYTES })
      bytes += report.bytesRead
      after = report.next
    }
    best = Math.min(best, performance.now() - start)
  }
  const megabytesRead = bytes / MEGABYTE
  console.log(
    `  a scrub of it: ${megabytesRead.toFixed(1)} MB in ${best.toFixed(1)} ms, ${(best / megabytesRead).toFixed(2)} s/GB`,
  )
}

async function measureInPool(store: string): Promise<void> {
  const pool = createPool({ maxThreads: 1 })
  const start = performance.now()
  const report = await pool.verifyStore(store)
  print('  the same, in a pool thread that must start first', report, performance.now() - start)
  await pool.close()
}

function print(name: string, report: VerifyReport, ms: number): void {
  if (report.verdict !== 'ok') throw new Error(`${name}: ${report.verdict}`)
  const megabytesRead = report.bytesRead / MEGABYTE
  const rate = (megabytesRead / ms) * 1000
  const { tables, tablesSkipped, logRecords } = report
  console.log(
    `${name}: ${megabytesRead.toFixed(1)} MB in ${ms.toFixed(1)} ms = ${rate.toFixed(0)} MB/s, ` +
      `${(1000 / rate).toFixed(2)} s/GB (${tables} tables, ${tablesSkipped} skipped, ${logRecords} log records)`,
  )
}
