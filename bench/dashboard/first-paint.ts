/** How long after a page is asked for does it show the nodes? In a new browser context each time: nothing is in its cache. */

import type { Stand } from './stand.js'

const SAMPLES = 10

export interface FirstPaint {
  /** Anything at all. */
  readonly contentfulMs: number
  /** The ring and the table of nodes. */
  readonly usefulMs: number
}

/** In the page: when the first frame after the table is there has been painted. */
const WATCH = `
  window.usefulMs = new Promise((resolve) => {
    const look = () => {
      if (document.querySelector('[data-node]') === null) return requestAnimationFrame(look)
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
    }
    requestAnimationFrame(look)
  })
`

export async function firstPaints(stand: Stand): Promise<FirstPaint[]> {
  const http = await stand.serve()
  const paints: FirstPaint[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    const context = await stand.browser.newContext({ viewport: { width: 1440, height: 900 } })
    await context.addInitScript(WATCH)
    const page = await context.newPage()
    await page.goto(http.url)
    const usefulMs = (await page.evaluate('window.usefulMs')) as number
    const contentfulMs = (await page.evaluate(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`,
    )) as number
    paints.push({ contentfulMs, usefulMs })
    await context.close()
  }
  await http.close()
  return paints
}
