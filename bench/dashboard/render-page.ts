/** The findings as a Markdown page. Measures nothing. */

import type { FirstPaint } from './first-paint.js'
import { type IdleCost, LOOKS, median } from './idle-cost.js'
import type { PageSizes } from './stand.js'
import { type Throughput, WAYS, type Way } from './throughput.js'

export interface Findings {
  /** Command, machine, day. */
  readonly from: string
  readonly nodes: number
  readonly partitions: number
  readonly sizes: PageSizes
  readonly paints: readonly FirstPaint[]
  readonly idle: IdleCost
  readonly throughput: Throughput
}

const NAMES: Readonly<Record<Way, string>> = {
  read: 'its stream is read',
  page: 'a page is open in Chromium, on the same processors',
}

export function renderPage({ from, nodes, partitions, sizes, paints, idle, throughput }: Findings): string {
  const { rounds, ways } = throughput
  const rate = (perSecond: number) => Math.round(perSecond).toLocaleString('en')
  const rows = WAYS.map((way) => {
    const [percent, low, high] = ways[way].cost
    const cost = `${percent.toFixed(1)} % (${low.toFixed(1)} to ${high.toFixed(1)})`
    return [NAMES[way], rate(ways[way].without), rate(ways[way].with), cost, `${ways[way].browserMs.toFixed(0)} ms/s`]
  })
  const kib = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KiB`
  const ms = (of: (paint: FirstPaint) => number) => `${median(paints.map(of)).toFixed(0)} ms`
  return `# What the dashboard costs

${from}. ${nodes} nodes, ${partitions} partitions.

## Throughput

64 callers in one thread, three gets to one put. Two seconds with the dashboard between two without, ${rounds} times, each after a rest and half a
second of unmeasured load; calls/s are medians, the cost is the median of the times, in brackets where 95 % of resampled medians lie.
The last column is processor time of the browser, drawn without a graphics card (1,000 ms/s are one processor); it draws numbers
once a second, of more than 16 nodes once in two.

${table(['', 'without', 'with', 'cost', 'the browser took'], rows)}

## A cluster that does nothing else

Processor time of its process (all of its threads), in milliseconds a second (1,000 is one processor).

${table(
  ['', 'ms/s'],
  [
    ['without the dashboard', idle.alone.toFixed(1)],
    ['`--http`, nobody looks', idle.recorded.toFixed(1)],
    ['a page open', idle.watched.toFixed(1)],
    ['the browser itself, drawn without a graphics card', idle.browser.toFixed(1)],
  ],
)}

One look at the cluster, with the line that it makes, takes ${idle.lookUs.toFixed(0)} µs (the median of ${LOOKS}) of the thread that opened it; twice a second, however many
look, and at once when something happens.

## The page

${table(
  ['', ''],
  [
    ['size, as it is sent (gzip)', kib(sizes.packedBytes)],
    ['size, unpacked', kib(sizes.bytes)],
    ['first contentful paint, nothing cached', ms(({ contentfulMs }) => contentfulMs)],
    ['first useful paint: ring and nodes', ms(({ usefulMs }) => usefulMs)],
  ],
)}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, ...[title, ...rows.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
