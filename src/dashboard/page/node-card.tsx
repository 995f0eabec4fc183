/** The chosen node: how it sees the cluster itself, why its last life ended, and what can be done to it. */

import { STATUS_LETTERS } from '../frames.js'
import { STATUS_GLYPH } from './colours.js'
import type { Moment } from './timeline.js'

interface NodeCardProps {
  readonly moment: Moment
  readonly id: string
}

export function NodeCard({ moment, id }: NodeCardProps) {
  const node = moment.nodes.find((one) => one.id === id)
  const view = moment.views?.views.find(([viewer]) => viewer === id)
  if (node === undefined) return null
  return (
    <div class="node-card" data-view-of={id}>
      <h3>
        {id} sees the cluster so <span class="quiet">table {node.epoch}</span>
      </h3>
      {view === undefined ? (
        <p class="quiet">It has no thread, and no view.</p>
      ) : (
        <ul class="view">
          {moment.views?.members.map((member, index) => {
            const status = STATUS_LETTERS[view[1].charAt(index)] ?? 'removed'
            return (
              <li key={member} class={`status ${status}`} data-member={member} data-value={status}>
                <span aria-hidden="true">{STATUS_GLYPH[status]}</span> {member}{' '}
                <span class="quiet">
                  {status === 'removed' ? 'unknown' : status} · life {view[2][index]}
                </span>
              </li>
            )
          })}
        </ul>
      )}
      {node.lastExit !== '' && <p class="quiet">Its last life ended: {node.lastExit}</p>}
    </div>
  )
}
