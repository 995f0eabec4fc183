/**
 * The page in a real browser: that it shows what `status()` says, before, during and after a crash; that the slider shows a past moment;
 * that the keyboard reaches everything; and that it asks nobody else.
 */

import { setInterval as ticks } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Page } from 'playwright-core'
import { test } from 'tap'
import { HttpServer } from '../../src/cli/http/http-server.js'
import { newToken } from '../../src/cli/http/token.js'
import type { Cluster, NodeStatus } from '../../src/index.js'
import { violationsOf } from '../support/accessibility.js'
import { browserForTest, misdeedsOf, NEEDS_CHROMIUM } from '../support/chromium.js'
import { eventOf, loadRecords, openForTest } from '../support/cluster.js'

/** The last of them from the page. */
const DEATHS = 6

const DESK = [1440, 900] as const
const PHONE = [360, 740] as const

/** Of half a second: as far back as the slider goes. */
const STEPS_MAX = 1_200

/** Columns of the table that hold still on a quiet cluster. */
const STILL = ['status', 'incarnation', 'restarts', 'partitions', 'keys', 'hints', 'epoch'] as const

test('dashboard page', NEEDS_CHROMIUM, async (t) => {
  const cluster = await openForTest(t, { nodes: 5, partitions: 64, restartsMax: 50 })
  await loadRecords(cluster, 2_000)
  await cluster.settled()
  const address = { host: '127.0.0.1', port: 0 }
  const http = await HttpServer.listen({ cluster, address, token: newToken(), faults: true, mayDestroy: true })
  t.teardown(() => http.close())
  const browser = await browserForTest(t)
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  const misdeeds = misdeedsOf(page, http.url)
  await page.goto(http.urlWithToken)
  const began = Date.now()

  await t.test('before: what it shows is what status() says', async (t) => {
    await shows(page, saidNodes(cluster))
    t.equal(await page.locator('[data-glance=epoch]').textContent(), String(cluster.status().epoch))
    t.equal(await page.locator('[data-glance=up]').textContent(), '5 of 5')
    await page.locator('.pill[data-verdict=good]').waitFor()
    t.notMatch(page.url(), /token/, 'the token is not left in the address')
    const heading = page.getByRole('columnheader', { name: 'keys' })
    await heading.getByRole('button').click()
    t.equal(await heading.getAttribute('aria-sort'), 'descending')
    const keys = (await shownNodes(page)).map((node) => Number(node['keys']))
    t.same(
      keys,
      [...keys].sort((a, b) => b - a),
    )
    await heading.getByRole('button').click()
    await shows(page, saidNodes(cluster))
  })

  await t.test('during: a crash from the page is shown while it lasts', async (t) => {
    await page.locator('[data-node=node3] button').click()
    // A first restart is at once; a node that dies again and again is waited for ever longer, so that there is a time to look at.
    for (let death = 1; death < DEATHS; death++) {
      const isBack = eventOf(cluster, 'node:up', ({ node }) => node === 'node3')
      await cluster.faults.crash('node3')
      await isBack
    }
    const exit = eventOf(cluster, 'node:exit', ({ node }) => node === 'node3')
    await page.getByRole('button', { name: 'crash', exact: true }).click()
    await exit
    const said = saidNodes(cluster)
    t.match(said[2], { node: 'node3', status: 'suspect', restarts: String(DEATHS) })
    await shows(page, said)
    t.equal(await page.locator('[data-glance=up]').textContent(), '4 of 5')
    t.equal(await page.locator('.pill').getAttribute('data-verdict'), 'warning')
    await page.locator('li[data-event="node:exit"]').first().waitFor()
  })

  await t.test('after: it is back, in its next life', async (t) => {
    await cluster.settled()
    const said = saidNodes(cluster)
    t.match(said[2], { node: 'node3', status: 'up', incarnation: String(DEATHS + 1) })
    await shows(page, said)
    await page.locator('.pill[data-verdict=good]').waitFor()
  })

  await t.test('the slider shows the cluster as it was, each node’s own view included', async (t) => {
    const slider = page.getByRole('slider', { name: 'The moment that is shown' })
    t.equal(await page.locator('[data-view-of=node3]').count(), 1, 'node3 is chosen')
    await page.getByRole('button', { name: 'The event before' }).click()
    t.match(await slider.getAttribute('aria-valuetext'), /ago$/)
    t.equal(
      await page.getByRole('button', { name: 'crash', exact: true }).count(),
      0,
      'nothing can be done to the past',
    )

    // Back to the time at which node3 was away, and another node knew it.
    await page.locator('[data-node=node1] button').click()
    const isAway = async () =>
      (await page.locator('[data-node=node3] [data-name=status][data-value=suspect]').count()) === 1 &&
      (await page.locator('[data-view-of=node1] [data-member=node3][data-value=suspect]').count()) === 1
    await slider.focus()
    for (let steps = 0; steps < STEPS_MAX && !(await isAway()); steps++) await slider.press('ArrowLeft')
    t.ok(await isAway())

    await slider.press('Home')
    const at = Number(await page.locator('.moment').getAttribute('data-at'))
    t.ok(at < began, 'the recording began before the page was opened')
    t.equal(await page.locator('[data-node=node3] [data-name=incarnation]').getAttribute('data-value'), '1')
    await page.getByRole('button', { name: 'go live' }).click()
    await shows(page, saidNodes(cluster))
  })

  await t.test('one key’s way: what locate() and versions() say', async (t) => {
    await page.getByRole('textbox', { name: 'key' }).fill('record:000007')
    await page.getByRole('button', { name: 'follow' }).click()
    const { slot, partition, owners } = cluster.locate('record:000007')
    await page.locator('[data-replica]').first().waitFor()
    t.equal(await page.locator('[data-way=slot]').textContent(), String(slot))
    t.equal(await page.locator('[data-way=partition]').textContent(), String(partition))
    t.equal(await page.locator('[data-way=owners]').textContent(), owners.join(', '))
    const { replicas } = await cluster.versions('record:000007')
    t.same(
      await page.locator('[data-replica]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-stamp'))),
      replicas.map(({ versions }) => versions[0]?.stamp),
    )
    t.equal(await page.locator('.readout').getAttribute('data-partition'), String(partition))

    const isNow = page.locator('.key-path').getByText('This is now, not the moment that is shown')
    t.equal(await isNow.count(), 0)
    await page.getByRole('button', { name: 'The event before' }).click()
    await isNow.waitFor()
    await cluster.put('record:000007', 'another')
    const { stamp } = (await cluster.versions('record:000007')).replicas[0]?.versions[0] ?? {}
    await page.locator(`[data-stamp="${stamp}"]`).first().waitFor()
    await page.getByRole('button', { name: 'go live' }).click()
    await isNow.waitFor({ state: 'detached' })
  })

  await t.test('cut and heal from the page', async (t) => {
    await page.getByRole('checkbox', { name: 'node5' }).check()
    await page.getByRole('button', { name: 'cut', exact: true }).click()
    await page.getByRole('status').filter({ hasText: 'cut node5 off: done' }).waitFor()
    t.same(cluster.status().cuts?.[0], { from: ['node5'], to: ['node1', 'node2', 'node3', 'node4'] })
    await page.getByRole('button', { name: 'heal everything' }).click()
    await page.getByRole('status').filter({ hasText: 'heal: done' }).waitFor()
    t.same(cluster.status().cuts, [])
  })

  await t.test('the keyboard reaches everything that can be used, and moves through the ring', async (t) => {
    await page.evaluate('document.activeElement?.blur()')
    const reached = new Set<string>()
    const usable = await page.locator('button:enabled, input:enabled, select, canvas[tabindex]').count()
    for (let tabs = 0; tabs < usable + 10; tabs++) {
      await page.keyboard.press('Tab')
      reached.add(
        (await page.evaluate(
          '(() => { const all = [...document.querySelectorAll("button:enabled, input:enabled, select, canvas[tabindex]")]; return String(all.indexOf(document.activeElement)) })()',
        )) as string,
      )
    }
    reached.delete('-1')
    t.equal(reached.size, usable)
    const ring = page.getByRole('slider', { name: /Partitions of the ring/ })
    await ring.focus()
    await ring.press('Home')
    await ring.press('ArrowRight')
    t.match(await ring.getAttribute('aria-valuetext'), /^partition 1 · slots 256–511 · /)
    await ring.press('Escape')
    t.equal(await ring.getAttribute('aria-valuetext'), 'no partition chosen')
  })

  await t.test('light and dark, desk and phone, live and past: nothing sticks out, nobody is shut out', async (t) => {
    const theme = () => page.evaluate('document.documentElement.dataset.theme')
    // Colours on their way from one to another are nobody's.
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await cluster.faults.crash('node5', { permanent: true })
    await page.locator('.pill[data-verdict=bad]').waitFor()
    for (const [width, height] of [DESK, PHONE]) {
      await page.setViewportSize({ width, height })
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
      for (const button of ['The event before', 'go live']) {
        await page.getByRole('button', { name: button }).click()
        const first = await theme()
        t.same(await violationsOf(page), [], `${width} wide, ${first}, ${button}`)
        await page.getByRole('button', { name: /^Change to/ }).click()
        t.not(await theme(), first)
        t.same(await violationsOf(page), [], `${width} wide, ${await theme()}, ${button}`)
      }
    }
  })

  await t.test('who has no token looks, and cannot act', async (t) => {
    const other = await browser.newPage()
    const otherMisdeeds = misdeedsOf(other, http.url)
    await other.goto(http.url)
    await other.locator('[data-node=node1]').waitFor()
    t.equal(await other.getByRole('button', { name: 'crash', exact: true }).count(), 0)
    t.same(otherMisdeeds, [])
    await other.close()
  })

  t.same(misdeeds, [], 'no error, nothing on the console, nobody else asked')
})

type Shown = Readonly<Record<string, string | null>>

function saidNodes(cluster: Cluster): Shown[] {
  return cluster.status().nodes.map((node: NodeStatus) => ({
    node: node.id,
    ...Object.fromEntries(STILL.map((name) => [name, String(node[name])])),
  }))
}

/** All of the table at one moment. */
function shownNodes(page: Page): Promise<Shown[]> {
  return page.locator('[data-node]').evaluateAll(
    (rows, names) =>
      rows.map((row) => ({
        node: row.getAttribute('data-node'),
        ...Object.fromEntries(
          names.map((name) => [name, row.querySelector(`[data-name=${name}]`)?.getAttribute('data-value')]),
        ),
      })),
    [...STILL],
  )
}

/** Resolves once the page shows that. Errors: throws if it does not within the time. */
async function shows(page: Page, wanted: readonly Shown[], withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs
  for await (const _ of ticks(20)) {
    const shown = await shownNodes(page)
    if (isDeepStrictEqual(shown, wanted)) return
    if (performance.now() > endMs) throw new Error(`it shows ${JSON.stringify(shown)}, not ${JSON.stringify(wanted)}`)
  }
}
