/** What the cluster sees to by itself: hints kept for others, copies being made, replicas being compared. */

import { bytes, count, plural } from './format.js'
import type { Moment } from './timeline.js'

export function InFlight({ moment }: { readonly moment: Moment }) {
  const { nodes, frame, rates } = moment
  const sum = (figure: 'hints' | 'exchanging') => nodes.reduce((total, node) => total + node[figure], 0)
  const { readRepairs = 0, keysExchanged = 0, hintsHandedBack = 0 } = rates?.repairs ?? {}
  const filling = nodes.filter((node) => node.filling !== null)
  const keepers = nodes.filter(({ hints }) => hints > 0).map(({ id, hints }) => `${id} ${count(hints)}`)
  return (
    <div class="in-flight">
      <dl class="figures">
        <Figure name="hints kept" value={sum('hints')} about={keepers.slice(0, 4).join(', ') || 'for nobody'} />
        <Figure name="handed back" value={hintsHandedBack} about="in the last half second" />
        <Figure
          name="partitions moving"
          value={frame.partitionsMoving}
          about={`${plural(filling.length, 'node')} being filled`}
        />
        <Figure name="comparisons" value={sum('exchanging')} about="of replicas, to be done" />
        <Figure name="read repairs" value={readRepairs} about="in the last half second" />
        <Figure name="keys exchanged" value={keysExchanged} about="in the last half second" />
      </dl>
      {filling.length > 0 && (
        <ul class="fills scroll">
          {filling.map(({ id, filling: fill }) => {
            const [done, partitions, records, received] = fill ?? [0, 0, 0, 0]
            return (
              <li key={id} title={`${plural(records, 'record')}, ${bytes(received)}`}>
                <b>{id}</b>
                <progress value={done} max={Math.max(1, partitions)} aria-label={`${id} is being filled`} />
                <span>
                  {count(done)} of {count(partitions)} · {bytes(received)}
                </span>
              </li>
            )
          })}
        </ul>
      )}
    </div>
  )
}

function Figure({ name, value, about }: { readonly name: string; readonly value: number; readonly about: string }) {
  return (
    <div class={value > 0 ? 'figure busy' : 'figure'}>
      <dt>{name}</dt>
      <dd data-figure={name}>{count(value)}</dd>
      <dd class="quiet">{about}</dd>
    </div>
  )
}
