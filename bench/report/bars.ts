/**
 * Horizontal bars as SVG text, a panel for each workload, on one logarithmic scale, with the spread of the rounds as whiskers. Where the
 * reader's system is dark, the paper and the ink change places. Knows nothing of what it shows.
 */

import { escaped, GRID, INK, PAPER, round, STYLE } from './svg.js'

export interface Bar {
  readonly name: string
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface BarPanel {
  readonly title: string
  readonly bars: readonly Bar[]
}

const NAMES_WIDTH = 290
const BARS_WIDTH = 520
const VALUE_WIDTH = 90
const LINE = 18
const PANEL_HEAD = 26
const HEAD = 34
const OURS = '#2f6fde'
const PEERS = '#8a8f98'

/** Bars whose names begin with `Coterie` stand out. */
export function renderBars(title: string, panels: readonly BarPanel[]): string {
  const width = NAMES_WIDTH + BARS_WIDTH + VALUE_WIDTH
  const heights = panels.map(({ bars }) => PANEL_HEAD + bars.length * LINE + 8)
  const height = HEAD + heights.reduce((sum, one) => sum + one, 0)
  const values = panels.flatMap(({ bars }) => bars.flatMap(({ min, max }) => [min, max])).filter((value) => value > 0)
  const scale = logScale(Math.min(...values), Math.max(...values))
  let top = HEAD
  const parts = panels.map((panel, at) => {
    const shown = `<g transform="translate(0 ${top})">\n${renderPanel(panel, scale)}\n</g>`
    top += heights[at] ?? 0
    return shown
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" font-size="12" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect ${PAPER} width="${width}" height="${height}"/>`,
    `<text ${INK} x="${width / 2}" y="22" text-anchor="middle" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

interface Scale {
  readonly x: (value: number) => number
  readonly ticks: readonly number[]
}

function renderPanel({ title, bars }: BarPanel, { x, ticks }: Scale): string {
  const bottom = PANEL_HEAD + bars.length * LINE
  return [
    `<text ${INK} x="${NAMES_WIDTH - 8}" y="16" text-anchor="end" font-weight="600">${escaped(title)}</text>`,
    ...ticks.map((tick, number) => {
      const at = round(x(tick))
      return `<line ${GRID} x1="${at}" x2="${at}" y1="18" y2="${bottom}"/><text ${INK} x="${at}" y="14" text-anchor="${number === 0 ? 'start' : 'middle'}" font-size="10">${tick.toLocaleString('en')}</text>`
    }),
    ...bars.map((bar, at) => renderBar(bar, PANEL_HEAD + at * LINE, x)),
  ].join('\n')
}

function renderBar({ name, median, min, max }: Bar, top: number, x: Scale['x']): string {
  const [from, to] = [NAMES_WIDTH, round(x(median))]
  const middle = top + LINE / 2
  const colour = name.startsWith('Coterie') ? OURS : PEERS
  const [low, high] = [round(x(min)), round(x(max))]
  return [
    `<text ${INK} x="${NAMES_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`,
    `<rect fill="${colour}" x="${from}" y="${top + 3}" width="${round(to - from)}" height="${LINE - 6}"/>`,
    `<path class="line" stroke="#1f2328" fill="none" d="M${low} ${middle} H${high} M${low} ${middle - 3} V${middle + 3} M${high} ${middle - 3} V${middle + 3}"/>`,
    `<text ${INK} x="${round(Math.max(to, high) + 6)}" y="${middle + 4}">${Math.round(median).toLocaleString('en')}</text>`,
  ].join('')
}

function logScale(min: number, max: number): Scale {
  const low = Math.floor(Math.log10(min))
  const high = Math.max(low + 1, Math.log10(max))
  const ticks = Array.from({ length: Math.floor(high) - low + 1 }, (_, at) => 10 ** (low + at))
  const x = (value: number) =>
    NAMES_WIDTH + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * BARS_WIDTH
  return { x, ticks }
}
