/**
 * Draws the ring: a band for each place of the preference list, the primary's outermost; a rim that tells of copies that are missing;
 * the nodes inside, with the links that are cut and who suspects whom. Called by `ring.tsx`, only when something has changed.
 */

import { RING_LOST, RING_MOVING, STATUS_LETTERS, type Status } from '../frames.js'
import { nodeColour, type Palette, STATUS_GLYPH } from './colours.js'
import { shortId } from './format.js'
import { angleOf, nodePoint, type RingShape } from './ring-geometry.js'
import type { Moment } from './timeline.js'

export interface RingScene {
  readonly moment: Moment
  readonly palette: Palette
  readonly shape: RingShape
  /** Its partitions stand out. */
  readonly node: string | undefined
  readonly partition: number | undefined
}

/** Of those that are not up, their places fade: the copies are not to be had. */
const OPACITY: Readonly<Record<Status, number>> = {
  up: 1,
  leaving: 1,
  joining: 0.45,
  suspect: 0.32,
  down: 0.16,
  removed: 0.16,
}
const UNSELECTED = 0.14
/** Half the width of the smallest picture. */
const CENTRE_MIN = 80
const RIM_WIDTH_MIN = 3
/** Narrower ones have no gap between them. */
const GAP_PARTITIONS_MAX = 512

export function drawRing(context: CanvasRenderingContext2D, scene: RingScene): void {
  const { width, height } = context.canvas
  context.clearRect(0, 0, width, height)
  // In a window that is being made, or nearly closed, there is no room for what stands inside.
  if (scene.shape.centre < CENTRE_MIN) return
  drawBands(context, scene)
  drawRim(context, scene)
  drawPartition(context, scene)
  drawLinks(context, scene)
  drawNodes(context, scene)
  drawCentre(context, scene)
}

function drawBands(context: CanvasRenderingContext2D, { moment, palette, shape, node }: RingScene): void {
  const { ring, nodes } = moment
  if (ring === undefined) return
  const status = new Map(nodes.map((one) => [one.id, one.status]))
  const total = ring.rows.length
  const gap = total <= GAP_PARTITIONS_MAX ? Math.min(0.006, 0.7 / total) : 0
  const colours = ring.nodes.map((_, index) => nodeColour(index, palette.theme))
  const opacities = ring.nodes.map((id) =>
    node === undefined || node === id ? OPACITY[status.get(id) ?? 'removed'] : UNSELECTED,
  )
  // One fill for each owner: of `n: 'all'` there are as many sectors as partitions times nodes.
  const sectors = new Map<number, Path2D>()
  ring.rows.forEach(([owners], partition) => {
    const angles = [angleOf(partition, total) + gap, angleOf(partition + 1, total) - gap] as const
    owners.forEach((owner, place) => {
      const band = shape.bands[place]
      if (band === undefined) return
      const path = sectors.get(owner) ?? new Path2D()
      sectors.set(owner, path)
      addSector(path, shape.centre, band, angles)
    })
  })
  for (const [owner, path] of sectors) {
    context.globalAlpha = owner < 0 ? 1 : (opacities[owner] ?? 1)
    context.fillStyle = owner < 0 ? palette.line : (colours[owner] ?? palette.line)
    context.fill(path)
  }
  context.globalAlpha = 1
}

/** Amber: a copy is missing; red: too few for a quorum; blue: owners change. */
function drawRim(context: CanvasRenderingContext2D, { moment, palette, shape }: RingScene): void {
  const { ring, nodes, frame } = moment
  if (ring === undefined) return
  const total = ring.rows.length
  const isUp = new Set(nodes.filter(({ status }) => status === 'up' || status === 'leaving').map(({ id }) => id))
  const quorum = Math.max(frame.r, frame.w)
  const rims = new Map<string, Path2D>()
  ring.rows.forEach(([owners, , flags], partition) => {
    const there = owners.filter((owner) => isUp.has(ring.nodes[owner] ?? '')).length
    const colour =
      (flags & RING_LOST) !== 0 || there < quorum
        ? palette.status.down
        : there < owners.length
          ? palette.status.suspect
          : (flags & RING_MOVING) !== 0
            ? palette.status.joining
            : undefined
    if (colour === undefined) return
    const path = rims.get(colour) ?? new Path2D()
    rims.set(colour, path)
    // One of many is made wider than it is, so that it is seen.
    const middle = angleOf(partition + 0.5, total)
    const half = Math.max(Math.PI / total + 0.001, RIM_WIDTH_MIN / 2 / shape.rim)
    addSector(path, shape.centre, [shape.rim, shape.rim - 4], [middle - half, middle + half])
  })
  // The worst last: nothing covers it.
  for (const colour of [palette.status.joining, palette.status.suspect, palette.status.down]) {
    const path = rims.get(colour)
    if (path === undefined) continue
    context.fillStyle = colour
    context.fill(path)
  }
}

function addSector(
  path: Path2D,
  centre: number,
  [outer, inner]: readonly [number, number],
  [from, to]: readonly [number, number],
): void {
  path.moveTo(centre + outer * Math.cos(from), centre + outer * Math.sin(from))
  path.arc(centre, centre, outer, from, to)
  path.arc(centre, centre, inner, to, from, true)
  path.closePath()
}

function drawLinks(context: CanvasRenderingContext2D, { moment, palette, shape }: RingScene): void {
  const { frame, views, nodes } = moment
  const place = new Map(nodes.map(({ id }, index) => [id, index]))
  const line = (from: string, to: string, colour: string, dash: number[]) => {
    const [a, b] = [place.get(from), place.get(to)]
    if (a === undefined || b === undefined) return
    context.strokeStyle = colour
    context.setLineDash(dash)
    context.beginPath()
    context.moveTo(...nodePoint(shape, a, nodes.length))
    context.quadraticCurveTo(shape.centre, shape.centre, ...nodePoint(shape, b, nodes.length))
    context.stroke()
  }
  context.lineWidth = 1.4
  // Of many, the most can still be told apart.
  context.globalAlpha = nodes.length > 16 ? 0.3 : 1
  for (const [viewer, statuses] of views?.views ?? [])
    views?.members.forEach((member, index) => {
      if (STATUS_LETTERS[statuses.charAt(index)] === 'suspect') line(viewer, member, palette.status.suspect, [])
    })
  context.globalAlpha = 0.85
  const drawn = new Set<string>()
  for (const { from, to } of frame.cuts)
    for (const a of from)
      for (const b of to) {
        // A cut of both directions is one line.
        if (drawn.has(`${b} ${a}`)) continue
        drawn.add(`${a} ${b}`)
        line(a, b, palette.status.down, [3, 5])
      }
  context.globalAlpha = 1
  context.setLineDash([])
}

function drawNodes(context: CanvasRenderingContext2D, { moment, palette, shape, node }: RingScene): void {
  const { nodes } = moment
  const size = shape.nodeSize
  const isLabelled = size >= 8
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  nodes.forEach(({ id, status }, index) => {
    const [x, y] = nodePoint(shape, index, nodes.length)
    context.fillStyle = status === 'up' || !isLabelled ? nodeColour(index, palette.theme) : palette.card
    context.beginPath()
    context.arc(x, y, size, 0, 2 * Math.PI)
    context.fill()
    if (status !== 'up' || node === id) {
      context.strokeStyle = status === 'up' ? palette.ink : palette.status[status]
      context.lineWidth = 2.5
      context.beginPath()
      context.arc(x, y, size + 3, 0, 2 * Math.PI)
      context.stroke()
    }
    if (!isLabelled) return
    context.fillStyle = status === 'up' ? (palette.theme === 'dark' ? '#0b0d12' : '#ffffff') : palette.status[status]
    context.font = `600 ${Math.round(size * 0.95)}px system-ui, sans-serif`
    context.fillText(status === 'up' ? shortId(id) : STATUS_GLYPH[status], x, y + 0.5)
  })
}

/** A needle through the partition that is looked at. */
function drawPartition(context: CanvasRenderingContext2D, { moment, palette, shape, partition }: RingScene): void {
  const total = moment.ring?.rows.length
  const inner = shape.bands.at(-1)?.[1]
  if (partition === undefined || total === undefined || inner === undefined) return
  const [from, to] = [angleOf(partition, total), angleOf(partition + 1, total)]
  context.strokeStyle = palette.accent
  context.lineWidth = 2.2
  context.beginPath()
  context.arc(shape.centre, shape.centre, shape.rim - 6, from - 0.004, to + 0.004)
  context.arc(shape.centre, shape.centre, inner - 3, to + 0.004, from - 0.004, true)
  context.closePath()
  context.stroke()
  const owners = moment.ring?.rows[partition]?.[0] ?? []
  const angle = (from + to) / 2
  const start = [shape.centre + (inner - 3) * Math.cos(angle), shape.centre + (inner - 3) * Math.sin(angle)] as const
  context.lineWidth = 1.6
  for (const owner of owners) {
    const index = moment.nodes.findIndex(({ id }) => id === moment.ring?.nodes[owner])
    if (index < 0) continue
    context.beginPath()
    context.moveTo(...start)
    context.lineTo(...nodePoint(shape, index, moment.nodes.length))
    context.stroke()
  }
}

function drawCentre(context: CanvasRenderingContext2D, { moment, palette, shape }: RingScene): void {
  const { frame } = moment
  const unit = shape.nodesRadius / 100
  // Lines pass behind it.
  context.fillStyle = palette.card
  context.beginPath()
  context.arc(shape.centre, shape.centre, 46 * unit, 0, 2 * Math.PI)
  context.fill()
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillStyle = palette.ink
  context.font = `650 ${Math.round(30 * unit)}px system-ui, sans-serif`
  context.fillText(String(frame.epoch), shape.centre, shape.centre + 2 * unit)
  context.fillStyle = palette.soft
  context.font = `500 ${Math.max(10, Math.round(10.5 * unit))}px system-ui, sans-serif`
  context.fillText('table epoch', shape.centre, shape.centre - 24 * unit)
  context.fillStyle = frame.converged ? palette.status.up : palette.status.suspect
  context.fillText(frame.converged ? 'converged' : 'converging', shape.centre, shape.centre + 28 * unit)
}
