/** What axe-core, which other teams of the field audit their pages with, finds wrong with a page as it is now shown. */

import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** A line for each element: the rule, where it is, what is wrong. All rules of WCAG 2 at levels A and AA, and the good practices. */
export async function violationsOf(page: Page): Promise<string[]> {
  // Over the browser's own protocol, which the page's policy does not concern.
  await page.evaluate(`window.axe === undefined && (() => { ${axe.source} })()`)
  const { violations } = (await page.evaluate(`window.axe.run({ resultTypes: ['violations'] })`)) as axe.AxeResults
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => {
      const [, what = ''] = failureSummary.split('\n')
      return `${id}: ${target.join(' ')}: ${what.trim()}`
    }),
  )
}
