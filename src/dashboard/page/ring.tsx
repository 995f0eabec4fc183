/** The ring: drawn on a canvas, moved through with the arrow keys or the pointer, and said in words below it. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { RING_LOST, RING_MOVING } from '../frames.js'
import { paletteOf } from './colours.js'
import { drawRing } from './ring-drawing.js'
import { type Pointed, pointedAt, type RingShape, ringShape } from './ring-geometry.js'
import type { Theme } from './theme.js'
import type { Moment } from './timeline.js'

const SLOTS = 16_384
/** Of a page of the keyboard: an eighth of the ring. */
const PAGES = 8
/** Of owners in words. */
const NAMES_MAX = 8

interface RingProps {
  readonly moment: Moment
  readonly theme: Theme
  readonly node: string | undefined
  readonly partition: number | undefined
  readonly onNode: (id: string | undefined) => void
  readonly onPartition: (partition: number | undefined) => void
}

export function Ring({ moment, theme, node, partition, onNode, onPartition }: RingProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState(0)
  const [pointed, setPointed] = useState<Pointed>(undefined)
  const { ring, nodes } = moment
  const partitions = ring?.rows.length ?? 0
  const places = ring?.rows.reduce((most, [owners]) => Math.max(most, owners.length), 1) ?? 3
  const shape = ringShape(size, places, nodes.length)

  useEffect(() => {
    const element = canvas.current
    if (element === null) return
    const observer = new ResizeObserver(() => setSize(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // What the picture is made of, so that the other frames cost nothing.
  const lives = nodes.map(({ id, status }) => `${id} ${status}`).join()
  const cuts = JSON.stringify(moment.frame.cuts)
  const { epoch, converged } = moment.frame
  // `moment` is another one with each frame; what of it is drawn is named.
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (size === 0 || context === null || context === undefined) return
    const scale = window.devicePixelRatio
    context.canvas.width = context.canvas.height = Math.round(size * scale)
    context.setTransform(scale, 0, 0, scale, 0, 0)
    drawRing(context, { moment, palette: paletteOf(theme), shape, node, partition })
  }, [size, theme, ring, moment.views, lives, cuts, epoch, converged, node, partition])

  const shown = pointed?.kind === 'partition' ? pointed.partition : partition
  const words = shown === undefined ? '' : partitionWords(moment, shown)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') return onPartition(undefined)
    const next = keyTarget(event.key, partition ?? -1, partitions)
    if (next === undefined) return
    event.preventDefault()
    onPartition(next)
  }
  const onClick = () => {
    if (pointed?.kind === 'partition') onPartition(pointed.partition === partition ? undefined : pointed.partition)
    if (pointed?.kind !== 'node') return
    const id = nodes[pointed.index]?.id
    onNode(id === node ? undefined : id)
  }
  return (
    <div class="ring">
      <canvas
        ref={canvas}
        class="ring-canvas"
        tabIndex={0}
        role="slider"
        aria-label="Partitions of the ring; the arrow keys go from one to the next"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, partitions - 1)}
        aria-valuenow={partition ?? 0}
        aria-valuetext={partition === undefined ? 'no partition chosen' : partitionWords(moment, partition)}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onPointerMove={(event) => setPointed(pointedBy(event, shape, partitions, nodes.length))}
        onPointerDown={(event) => setPointed(pointedBy(event, shape, partitions, nodes.length))}
        onPointerLeave={() => setPointed(undefined)}
      />
      <p class="readout" data-partition={shown}>
        {pointed?.kind === 'node'
          ? nodeWords(moment, pointed.index)
          : words ||
            `${partitions} partitions, the first owner of each outermost. Point at one, or use the arrow keys.`}
      </p>
    </div>
  )
}

function pointedBy(event: PointerEvent, shape: RingShape, partitions: number, nodes: number): Pointed {
  return pointedAt(shape, [event.offsetX, event.offsetY], { partitions, nodes })
}

function keyTarget(key: string, at: number, partitions: number): number | undefined {
  const page = Math.max(1, Math.floor(partitions / PAGES))
  const wrapped = (to: number) => (to + partitions) % partitions
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      return wrapped(at + 1)
    case 'ArrowLeft':
    case 'ArrowUp':
      return wrapped(Math.max(at, 0) - 1)
    case 'PageDown':
      return wrapped(at + page)
    case 'PageUp':
      return wrapped(Math.max(at, 0) - page)
    case 'Home':
      return 0
    case 'End':
      return partitions - 1
    default:
      return undefined
  }
}

function partitionWords({ ring }: Moment, partition: number): string {
  const row = ring?.rows[partition]
  if (ring === undefined || row === undefined) return ''
  const [owners, pending, flags] = row
  const slots = SLOTS / ring.rows.length
  const name = (place: number) => ring.nodes[place] ?? 'nobody'
  const parts = [
    `partition ${partition}`,
    `slots ${partition * slots}–${(partition + 1) * slots - 1}`,
    listed(owners.map(name)),
    ...(pending.length === 0 ? [] : [`being filled: ${listed(pending.map(name))}`]),
    ...((flags & RING_MOVING) === 0 ? [] : ['its owners change']),
    ...((flags & RING_LOST) === 0 ? [] : ['lost: it serves nothing']),
  ]
  return parts.join(' · ')
}

/** Of many, the first. */
function listed(names: readonly string[]): string {
  const more = names.length - NAMES_MAX
  return more <= 1 ? names.join(', ') : `${names.slice(0, NAMES_MAX).join(', ')} and ${more} more`
}

function nodeWords({ nodes }: Moment, index: number): string {
  const node = nodes[index]
  return node === undefined
    ? ''
    : `${node.id} · ${node.status} · ${node.partitions} replicas · life ${node.incarnation}`
}
