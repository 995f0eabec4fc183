/** Who sees whom how: a row for each node that told, a column for each member. As long as rows differ, gossip is on its way. */

import { useEffect, useRef } from 'preact/hooks'
import { STATUS_LETTERS, type Status, type ViewsEntry } from '../frames.js'
import { paletteOf } from './colours.js'
import { shortId } from './format.js'
import type { Theme } from './theme.js'
import type { Moment } from './timeline.js'

interface GossipProps {
  readonly moment: Moment
  readonly theme: Theme
}

/** Lines of words: past that the picture tells. */
const OPINIONS_MAX = 4
/** Of more members the words stand below the picture. */
const BESIDE_MAX = 8
const LABELLED_MAX = 16

export function Gossip({ moment, theme }: GossipProps) {
  const { frame, views, nodes } = moment
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined || views === undefined) return
    const size = context.canvas.clientWidth
    const scale = window.devicePixelRatio
    context.canvas.width = context.canvas.height = Math.round(size * scale)
    context.setTransform(scale, 0, 0, scale, 0, 0)
    drawMatrix(context, views, size, theme)
  }, [views, theme])
  const opinions = views === undefined ? [] : opinionsOf(views)
  const behind = nodes.filter(({ status, epoch }) => status === 'up' && epoch < frame.epoch)
  return (
    <div class={nodes.length > BESIDE_MAX ? 'gossip many' : 'gossip'}>
      <canvas
        ref={canvas}
        class="matrix"
        role="img"
        aria-label={`Each node's view of the others. ${wordsOf(opinions)}`}
      />
      <div class="gossip-words">
        <p class={frame.converged ? 'verdict good' : 'verdict warning'} data-converged={frame.converged}>
          {frame.converged ? '● every node knows the same' : '◐ on its way'}
        </p>
        <p>
          {behind.length === 0
            ? `All that are up act on table ${frame.epoch}.`
            : `${behind.map(({ id }) => id).join(', ')} not at table ${frame.epoch} yet.`}
        </p>
        <p>{wordsOf(opinions)}</p>
        <p class="quiet">A row is a node's own view of the members in the columns.</p>
      </div>
    </div>
  )
}

/** What some say of a member and others do not: `node1, node3 see node2 as suspect`. */
function opinionsOf({ members, views }: ViewsEntry): string[] {
  return members.flatMap((member, index) => {
    const sayers = new Map<string, string[]>()
    for (const [viewer, statuses] of views) {
      const letter = statuses.charAt(index)
      sayers.set(letter, [...(sayers.get(letter) ?? []), viewer])
    }
    const odd = [...sayers].filter(([letter]) => letter !== 'u')
    return odd.map(([letter, who]) => {
      const all = who.length === views.length ? 'all' : who.length > 3 ? `${who.length} nodes` : who.join(', ')
      const status = STATUS_LETTERS[letter]
      return status === undefined ? `unknown to ${all}: ${member}` : `${member} is ${status} to ${all}`
    })
  })
}

function wordsOf(opinions: readonly string[]): string {
  if (opinions.length === 0) return 'All members are up to all of them.'
  const more = opinions.length > OPINIONS_MAX ? `; and ${opinions.length - OPINIONS_MAX} more` : ''
  return `${opinions.slice(0, OPINIONS_MAX).join('; ')}${more}.`
}

function drawMatrix(
  context: CanvasRenderingContext2D,
  { members, views }: ViewsEntry,
  size: number,
  theme: Theme,
): void {
  const palette = paletteOf(theme)
  const isLabelled = members.length <= LABELLED_MAX
  const margin = isLabelled ? 20 : 4
  const cell = (size - margin) / Math.max(1, members.length)
  const gap = cell > 8 ? 2 : cell > 4 ? 1 : 0.5
  const viewOf = new Map(views.map(([viewer, statuses]) => [viewer, statuses]))
  context.clearRect(0, 0, size, size)
  context.font = '600 11px system-ui, sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  members.forEach((viewer, row) => {
    const statuses = viewOf.get(viewer)
    const y = margin + row * cell
    if (isLabelled) {
      context.fillStyle = palette.soft
      context.fillText(shortId(viewer), margin / 2 - 1, y + cell / 2)
      context.fillText(shortId(viewer), y + cell / 2, margin / 2 - 1)
    }
    members.forEach((_, column) => {
      const status: Status | undefined = STATUS_LETTERS[statuses?.charAt(column) ?? '']
      context.fillStyle = status === undefined ? palette.line : palette.status[status]
      context.globalAlpha = status === undefined ? 0.6 : row === column ? 1 : 0.72
      const [left, top, side] = [margin + column * cell + gap / 2, y + gap / 2, cell - gap]
      context.beginPath()
      context.roundRect(left, top, side, side, Math.min(4, side / 4))
      context.fill()
    })
  })
  context.globalAlpha = 1
}
