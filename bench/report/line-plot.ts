/**
 * A plot as SVG text: panels side by side, three in a row, x logarithmic, y linear or logarithmic. Plain shapes whose colours can be seen on
 * white and on black; where the reader's system is dark, the paper and the ink change places. Knows nothing of what it shows.
 */

import { escaped, GRID, INK, PAPER, round, STYLE } from './svg.js'

/** y from where it lies to `yMax`: a whisker. */
export interface PlotPoint {
  readonly x: number
  readonly y: number
  readonly yMax?: number
}

export interface Series {
  readonly name: string
  readonly colour: string
  /** A curve of theory has no marks and is dashed. */
  readonly isTheory: boolean
  /** So far right of their place that whiskers of several series can be told apart. */
  readonly shiftPx?: number
  readonly points: readonly PlotPoint[]
}

export interface Panel {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xTicks: readonly number[]
  readonly yTicks: readonly number[]
  readonly yScale: 'linear' | 'log'
  readonly series: readonly Series[]
}

const PANEL = { width: 480, height: 400, left: 62, right: 18, top: 40, bottom: 56 }
const HEAD = 34
const LEGEND_LINE = 17
const COLUMNS_MAX = 3
/** The curves end before the frame does. */
const X_ROOM = 1.25

export function renderPlot(title: string, panels: readonly Panel[]): string {
  const columns = Math.min(COLUMNS_MAX, panels.length)
  const width = PANEL.width * columns
  const height = HEAD + PANEL.height * Math.ceil(panels.length / columns)
  const place = (at: number) =>
    `translate(${PANEL.width * (at % columns)} ${HEAD + PANEL.height * Math.floor(at / columns)})`
  const font = 'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" font-size="12"'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${font} role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect ${PAPER} width="${width}" height="${height}"/>`,
    text({ x: width / 2, y: 24, words: title, anchor: 'middle', size: 15, weight: 600 }),
    ...panels.map((panel, at) => `<g transform="${place(at)}">\n${renderPanel(panel)}\n</g>`),
    '</svg>',
    '',
  ].join('\n')
}

interface Scales {
  readonly x: (value: number) => number
  readonly y: (value: number) => number
}

function renderPanel(panel: Panel): string {
  const { title, xLabel, yLabel, xTicks, yTicks, series } = panel
  const scales = scalesOf(panel)
  const bottom = PANEL.height - PANEL.bottom
  const right = PANEL.width - PANEL.right
  const middleX = (PANEL.left + right) / 2
  const middleY = (PANEL.top + bottom) / 2
  return [
    text({ x: middleX, y: 22, words: title, anchor: 'middle', size: 13, weight: 600 }),
    ...yTicks.flatMap((tick) => {
      const y = round(scales.y(tick))
      return [
        `<line ${GRID} x1="${PANEL.left}" x2="${right}" y1="${y}" y2="${y}"/>`,
        text({ x: PANEL.left - 8, y: y + 4, words: shortly(tick), anchor: 'end' }),
      ]
    }),
    ...xTicks.flatMap((tick) => {
      const x = round(scales.x(tick))
      return [
        `<line ${GRID} x1="${x}" x2="${x}" y1="${PANEL.top}" y2="${bottom}"/>`,
        text({ x, y: bottom + 18, words: shortly(tick), anchor: 'middle' }),
      ]
    }),
    text({ x: middleX, y: PANEL.height - 14, words: xLabel, anchor: 'middle' }),
    `<g transform="translate(18 ${middleY}) rotate(-90)">${text({ x: 0, y: 0, words: yLabel, anchor: 'middle' })}</g>`,
    ...series.map((one) => renderSeries(one, scales)),
    ...series.map((one, at) => renderLegend(one, PANEL.top + 16 + at * LEGEND_LINE)),
  ].join('\n')
}

function scalesOf({ xTicks, yTicks, yScale }: Panel): Scales {
  const xMin = Math.min(...xTicks) / X_ROOM
  const xMax = Math.max(...xTicks) * X_ROOM
  const [yMin, yMax] = [Math.min(...yTicks), Math.max(...yTicks)]
  const part = (value: number, min: number, max: number) => Math.log(value / min) / Math.log(max / min)
  const yPart = (value: number) => (yScale === 'log' ? part(value, yMin, yMax) : (value - yMin) / (yMax - yMin))
  const bottom = PANEL.height - PANEL.bottom
  return {
    x: (value) => PANEL.left + part(value, xMin, xMax) * (PANEL.width - PANEL.left - PANEL.right),
    y: (value) => bottom - yPart(value) * (bottom - PANEL.top),
  }
}

function renderSeries({ colour, isTheory, shiftPx = 0, points }: Series, { x: unshifted, y }: Scales): string {
  const x = (value: number) => unshifted(value) + shiftPx
  const path = points.map((point, at) => `${at === 0 ? 'M' : 'L'}${round(x(point.x))} ${round(y(point.y))}`).join(' ')
  const stroke = isTheory ? 'stroke-width="1.5" stroke-dasharray="6 4"' : 'stroke-width="2"'
  const parts = [`<path d="${path}" fill="none" stroke="${colour}" ${stroke}/>`]
  if (!isTheory) for (const point of points) parts.push(renderMark(point, colour, { x, y }))
  return parts.join('\n')
}

function renderMark({ x: atX, y: atY, yMax }: PlotPoint, colour: string, { x, y }: Scales): string {
  const [cx, cy] = [round(x(atX)), round(y(atY))]
  const dot = `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`
  if (yMax === undefined) return dot
  const top = round(y(yMax))
  return `${dot}<path d="M${cx} ${cy} V${top} M${cx - 4} ${top} H${cx + 4}" fill="none" stroke="${colour}" stroke-width="1.2"/>`
}

function renderLegend({ name, colour, isTheory }: Series, y: number): string {
  const x = PANEL.left + 12
  const dash = isTheory ? ' stroke-dasharray="6 4"' : ''
  const line = `<line x1="${x}" x2="${x + 24}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="2"${dash}/>`
  return line + text({ x: x + 32, y, words: name, anchor: 'start' })
}

function text(options: {
  readonly x: number
  readonly y: number
  readonly words: string
  readonly anchor: 'start' | 'middle' | 'end'
  readonly size?: number
  readonly weight?: number
}): string {
  const { x, y, words, anchor, size = 12, weight = 400 } = options
  return `<text ${INK} x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}">${escaped(words)}</text>`
}

/** Beside the axis there is room for five digits. */
function shortly(tick: number): string {
  return tick < 100_000 ? tick.toLocaleString('en') : tick.toLocaleString('en', { notation: 'compact' })
}
