/** The nodes, one a row: what `status()` says of each at the moment that is shown. */

import type { NodeFrame } from '../frames.js'
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
  ['life', 'incarnation: lives in this process'],
  ['restarts', 'since the cluster was opened'],
  ['replicas', 'of partitions that it owns'],
  ['keys', 'with a live value in its store'],
  ['mailbox', 'messages waiting'],
  ['loop lag', 'how late its event loop ran at most, in the last second or two'],
  ['memory', 'JavaScript heap and buffers'],
  ['hints', 'kept for others'],
  ['epoch', 'of the partition table that it acts on'],
] as const

export function NodesTable({ moment, theme, node, onNode }: NodesTableProps) {
  return (
    <div class="scroll">
      <table class="nodes">
        <thead>
          <tr>
            <th scope="col">node</th>
            <th scope="col">status</th>
            {COLUMNS.map(([title, about]) => (
              <th scope="col" class="number" key={title} title={about}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {moment.nodes.map((one, index) => (
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
