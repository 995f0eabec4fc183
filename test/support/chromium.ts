/**
 * A real browser, Debian's chromium, without a window, driven by playwright-core. Where there is none, a test says loudly that it has
 * not run; under `.ci/run`, which installs it, that is a failure.
 */

import { spawnSync } from 'node:child_process'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { TestContext } from './cluster.js'

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

const isThere = spawnSync(PATH, ['--version']).status === 0

/** For `test(name, options)`: skipped, with the reason, where there is no browser and none is demanded. */
export const NEEDS_CHROMIUM =
  isThere || process.env['COTERIE_CI'] === '1' ? {} : { skip: 'there is no chromium here (apt-get install chromium)' }

/** As root, and in a container, it has no sandbox; what it opens is our own page. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] })
}

/** Until the test ends. */
export async function browserForTest(t: TestContext): Promise<Browser> {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  return browser
}

/** What a page should not do: errors, messages of its console, requests that leave `origin`. */
export function misdeedsOf(page: Page, origin: string): string[] {
  const misdeeds: string[] = []
  page.on('pageerror', (error) => misdeeds.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') misdeeds.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) misdeeds.push(`asks ${request.url()}`)
  })
  return misdeeds
}
