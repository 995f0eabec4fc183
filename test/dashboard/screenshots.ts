/**
 * Takes the pictures of the guide: the dashboard in the middle of a failover, light and dark, at the width of a desk and of a phone.
 * `npm run screenshots`; needs Debian's chromium.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { HttpServer } from '../../src/cli/http/http-server.js'
import { newToken } from '../../src/cli/http/token.js'
import { type Cluster, openCluster } from '../../src/index.js'
import { launchChromium } from '../support/chromium.js'
import { loadRecords } from '../support/cluster.js'

const FOLDER = 'src/dashboard/pictures'
const RECORDS = 30_000
/** So slow that a failover can be looked at. */
const TRANSFER_BYTES_PER_SECOND = 120_000
/** What there is to see before it: a minute would be longer than anybody waits. */
const BEFORE_MS = 20_000
const AFTER_MS = 3_500
/** Of 100. */
const QUALITY = 88

const SIZES = {
  desktop: { width: 1440, height: 1000 },
  phone: { width: 390, height: 844 },
} as const

const folder = await mkdtemp(join(tmpdir(), 'coterie-screenshots-'))
const cluster = await openCluster({
  location: join(folder, 'data'),
  nodes: 6,
  partitions: 128,
  faults: true,
  transferBytesPerSecond: TRANSFER_BYTES_PER_SECOND,
})
const http = await HttpServer.listen({
  cluster,
  address: { host: '127.0.0.1', port: 0 },
  token: newToken(),
  faults: true,
  mayDestroy: true,
})
const browser = await launchChromium()
const traffic = new AbortController()
try {
  await loadRecords(cluster, RECORDS)
  const calling = call(cluster, traffic.signal)
  await delay(BEFORE_MS / 2)
  await cluster.faults.crash('node5')
  await delay(BEFORE_MS / 2)
  const pages = new Map<string, Page>()
  for (const [size, viewport] of Object.entries(SIZES))
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport, colorScheme })
      const page = await context.newPage()
      await page.goto(http.urlWithToken)
      await show(page)
      pages.set(`${colorScheme}-${size}`, page)
    }
  const failed = cluster.faults.crash('node3', { permanent: true })
  await delay(AFTER_MS)
  await mkdir(FOLDER, { recursive: true })
  for (const [name, page] of pages) {
    await writeFile(join(FOLDER, `${name}.webp`), await pictureOf(page))
  }
  await failed
  traffic.abort()
  await calling
} finally {
  traffic.abort()
  await browser.close()
  await http.close()
  await cluster.close()
  await rm(folder, { recursive: true, force: true })
}

async function show(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'key' }).fill('record:000042')
  await page.getByRole('button', { name: 'follow' }).click()
  await page.locator('[data-replica]').first().waitFor()
  await page.evaluate('window.scrollTo(0, 0)')
}

/** A quarter of what it takes as PNG, which is all that playwright makes. */
async function pictureOf(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  return Buffer.from(data, 'base64')
}

/** A program's calls, some at a time; those that fail in the failover are what it is about. */
async function call(store: Cluster, signal: AbortSignal): Promise<void> {
  const caller = async (number: number): Promise<void> => {
    for (let round = number; !signal.aborted; round += 7) {
      const key = `record:${String((round * 7_919) % RECORDS).padStart(6, '0')}`
      await (round % 4 === 0 ? store.put(key, 'x'.repeat(120)) : store.get(key)).catch(() => undefined)
      if (round % 50 === 0) await delay(2)
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, number) => caller(number)))
}
