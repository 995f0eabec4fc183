/** A chart over the last minutes, by uPlot: several lines on one scale, a mark at the moment that is shown. */

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { paletteOf } from './colours.js'
import type { Theme } from './theme.js'

export interface ChartLine {
  readonly name: string
  /** A variable of the style sheet, or a colour. */
  readonly colour: string
  readonly isFilled?: boolean
}

interface TimeChartProps {
  readonly title: string
  /** What the lines have at the moment that is shown, in words. */
  readonly now: readonly (readonly [name: string, value: string])[]
  readonly lines: readonly ChartLine[]
  /** Times in seconds, then the values of each line. */
  readonly data: uPlot.AlignedData
  readonly range: readonly [from: number, to: number]
  /** Seconds; undefined: the newest. */
  readonly at: number | undefined
  readonly format: (value: number) => string
  readonly theme: Theme
}

const HEIGHT = 138

export function TimeChart({ title, now, lines, data, range, at, format, theme }: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const shown = useRef({ range, at })
  shown.current = { range, at }

  // The lines of a chart are always the same; its colours are the theme's.
  useEffect(() => {
    const element = host.current
    if (element === null) return
    const plot = new uPlot(optionsOf({ lines, format, theme, shown, width: element.clientWidth }), data, element)
    chart.current = plot
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [theme, lines.length])

  // Drawn anew for another mark, too.
  useEffect(() => {
    chart.current?.setData(data)
  }, [data, at])

  const spoken = now.map(([name, value]) => `${name} ${value}`).join(', ')
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-now">
          {now.map(([name, value], index) => (
            <span key={name}>
              <i class="key" style={{ background: `var(${lines[index]?.colour ?? '--soft'})` }} />
              {name} <b data-chart={`${title} ${name}`}>{value}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={host} role="img" aria-label={`${title} over time: ${spoken}`} />
    </figure>
  )
}

interface Shown {
  readonly range: readonly [number, number]
  readonly at: number | undefined
}

function optionsOf(own: {
  readonly lines: readonly ChartLine[]
  readonly format: (value: number) => string
  readonly theme: Theme
  readonly shown: { readonly current: Shown }
  readonly width: number
}): uPlot.Options {
  const { lines, format, theme, shown, width } = own
  const palette = paletteOf(theme)
  const style = getComputedStyle(document.documentElement)
  const colourOf = (name: string) => style.getPropertyValue(name).trim() || name
  const axis = { stroke: palette.soft, grid: { stroke: palette.line, width: 1 }, ticks: { show: false } }
  const font = '11px system-ui, sans-serif'
  return {
    width,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: () => [...shown.current.range] },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] },
    },
    axes: [
      { ...axis, font, space: 70, size: 24, grid: { show: false }, values: (_plot, seconds) => seconds.map(clockOf) },
      { ...axis, font, space: 30, size: 52, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ name, colour, isFilled }) => ({
        label: name,
        stroke: colourOf(colour),
        width: 1.6,
        points: { show: false },
        ...(isFilled === true ? { fill: `color-mix(in oklab, ${colourOf(colour)} 16%, transparent)` } : {}),
      })),
    ],
    hooks: { draw: [(plot) => drawMark(plot, shown.current.at, palette.accent)] },
  }
}

function drawMark({ ctx: context, bbox, valToPos }: uPlot, at: number | undefined, colour: string): void {
  if (at === undefined) return
  const x = Math.round(valToPos(at, 'x', true))
  context.save()
  context.strokeStyle = colour
  context.lineWidth = 1.5 * window.devicePixelRatio
  context.beginPath()
  context.moveTo(x, bbox.top)
  context.lineTo(x, bbox.top + bbox.height)
  context.stroke()
  context.restore()
}

function clockOf(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB')
}
