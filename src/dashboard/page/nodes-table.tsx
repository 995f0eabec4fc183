/** The nodes, one a row: what `status()` says of each at the moment that is shown, in the order of their names or the largest first. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { NodeFrame, Status } from '../frames.js'
import { nodeColour, STATUS_GLYPH } from './colours.js'
import { bytes, count, milliseconds } from './format.js'
import type { Theme } from './theme.js'
import type { Moment } from './timeline.js'

interface NodesTableProps {
  readonly moment: Moment
  readonly theme: Theme
  readonly node: string | undefined
  readonly onNode: (id: string | undefined) => void
}

/** `late` is past any that an idle or busy thread has; its loop stands. */
const LAG_MS_LATE = 300

const COLUMNS = [
  ['status', 'status', 'as the cluster sees it'],
  ['life', 'incarnation', 'incarnation: lives in this process'],
  ['restarts', 'restarts', 'since the cluster was opened'],
  ['replicas', 'partitions', 'of partitions that it owns'],
  ['keys', 'keys', 'with a live value in its store'],
  ['mailbox', 'mailbox', 'messages waiting'],
  ['loop lag', 'loopLagMs', 'how late its event loop ran at most, in the last second or two'],
  ['memory', 'memoryBytes', 'JavaScript heap and buffers'],
  ['hints', 'hints', 'kept for others'],
  ['epoch', 'epoch', 'of the partition table that it acts on'],
] as const satisfies readonly (readonly [title: string, name: keyof NodeFrame, about: string])[]
type Column = (typeof COLUMNS)[number][1]

/** The higher, the more it wants to be looked at. */
const RANK: Readonly<Record<Status, number>> = { up: 0, leaving: 1, joining: 2, suspect: 3, down: 4, removed: 5 }

export function NodesTable({ moment, theme, node, onNode }: NodesTableProps) {
  /** Undefined: in the order of the names. */
  const [column, setColumn] = useState<Column | undefined>(undefined)
  const scroller = useRef<HTMLDivElement>(null)
  // Wherever it was chosen, its row is seen.
  useEffect(() => {
    const row = scroller.current?.querySelector('tr.chosen')
    if (scroller.current !== null && row instanceof HTMLElement) reveal(scroller.current, row)
  }, [node, column])
  return (
    <div class="scroll" ref={scroller}>
      <table class="nodes">
        <thead>
          <tr>
            <Heading
              title="node"
              about="its name"
              isSorted={column === undefined}
              onSort={() => setColumn(undefined)}
            />
            {COLUMNS.map(([title, name, about]) => (
              <Heading
                key={name}
                title={title}
                about={about}
                isNumber={name !== 'status'}
                isSorted={column === name}
                onSort={() => setColumn(column === name ? undefined : name)}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {ordered(moment.nodes, column).map(({ one, index }) => (
            <NodeRow
              key={one.id}
              one={one}
              epoch={moment.frame.epoch}
              colour={nodeColour(index, theme)}
              isChosen={node === one.id}
              onChoose={() => onNode(node === one.id ? undefined : one.id)}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** With the place that each has by its name: its colour goes by it. */
function ordered(nodes: readonly NodeFrame[], column: Column | undefined) {
  const placed = nodes.map((one, index) => ({ one, index }))
  if (column === undefined) return placed
  const weight = (one: NodeFrame) => (column === 'status' ? RANK[one.status] : one[column])
  return placed.sort((a, b) => weight(b.one) - weight(a.one))
}

/** Below the heading, which stands still. */
function reveal(scroller: HTMLElement, row: HTMLElement): void {
  const heading = scroller.querySelector('thead')?.offsetHeight ?? 0
  const [around, own] = [scroller.getBoundingClientRect(), row.getBoundingClientRect()]
  const above = around.top + heading - own.top
  const below = own.bottom - around.bottom
  if (above > 0) scroller.scrollTop -= above
  else if (below > 0) scroller.scrollTop += below
}

interface HeadingProps {
  readonly title: string
  readonly about: string
  readonly isNumber?: boolean
  readonly isSorted: boolean
  readonly onSort: () => void
}

function Heading({ title, about, isNumber = false, isSorted, onSort }: HeadingProps) {
  const sort = isSorted ? (title === 'node' ? 'ascending' : 'descending') : 'none'
  return (
    <th scope="col" class={isNumber ? 'number' : undefined} aria-sort={sort}>
      <button type="button" class="sort" title={about} onClick={onSort}>
        {title}
      </button>
    </th>
  )
}

interface NodeRowProps {
  readonly one: NodeFrame
  readonly epoch: number
  readonly colour: string
  readonly isChosen: boolean
  readonly onChoose: () => void
}

function NodeRow({ one, epoch, colour, isChosen, onChoose }: NodeRowProps) {
  const isRunning = one.memoryBytes > 0
  const isBehind = one.status === 'up' && one.epoch < epoch
  const cells: readonly (readonly [name: string, value: number, text: string, isOdd?: boolean])[] = [
    ['incarnation', one.incarnation, count(one.incarnation)],
    ['restarts', one.restarts, count(one.restarts), one.restarts > 0],
    ['partitions', one.partitions, `${count(one.partitions)}${one.pending > 0 ? ` +${count(one.pending)}` : ''}`],
    ['keys', one.keys, count(one.keys)],
    ['mailbox', one.mailbox, count(one.mailbox)],
    ['loopLagMs', one.loopLagMs, isRunning ? milliseconds(one.loopLagMs) : '–', one.loopLagMs >= LAG_MS_LATE],
    ['memoryBytes', one.memoryBytes, isRunning ? bytes(one.memoryBytes) : '–'],
    ['hints', one.hints, count(one.hints), one.hints > 0],
    ['epoch', one.epoch, count(one.epoch), isBehind],
  ]
  return (
    <tr data-node={one.id} class={isChosen ? 'chosen' : undefined}>
      <th scope="row">
        <button type="button" class="node-name" aria-pressed={isChosen} onClick={onChoose}>
          <span class="swatch" style={{ background: colour }} />
          {one.id}
          {one.role === 'standby' && <span class="tag">standby</span>}
        </button>
      </th>
      <td data-name="status" data-value={one.status}>
        <span class={`status ${one.status}`}>
          <span aria-hidden="true">{STATUS_GLYPH[one.status]}</span> {one.status}
          {one.storeFull && ' · disk full'}
        </span>
      </td>
      {cells.map(([name, value, text, isOdd]) => (
        <td key={name} data-name={name} data-value={value} class={isOdd === true ? 'number odd' : 'number'}>
          {text}
        </td>
      ))}
    </tr>
  )
}
