/** Faults from the page: crash and hang one node, cut some off from the others, heal everything. Only of now, and only with the token. */

import { useState } from 'preact/hooks'
import type { AboutEntry } from '../frames.js'
import { act } from './actions.js'
import type { Moment } from './timeline.js'

const HANG_MS = 3_000

interface FaultsProps {
  readonly about: AboutEntry
  readonly moment: Moment
  readonly token: string | undefined
  readonly node: string | undefined
  readonly onNode: (id: string | undefined) => void
}

export function Faults({ about, moment, token, node, onNode }: FaultsProps) {
  const [side, setSide] = useState<ReadonlySet<string>>(new Set())
  const [said, setSaid] = useState('')
  const [isSure, setSure] = useState(false)
  if (!about.faults)
    return <p class="quiet">Faults are not allowed here: start with `coterie start --faults` to inject them.</p>
  if (token === undefined)
    return <p class="quiet">To act, open the link that `coterie start` printed: it carries the token.</p>
  if (!moment.isNewest) return <p class="quiet">This is the past. Go live to act.</p>

  const ids = moment.nodes.map(({ id }) => id)
  const chosen = node ?? ids[0] ?? ''
  const cutOff = ids.filter((id) => side.has(id))
  const others = ids.filter((id) => !side.has(id))
  const run = async (what: string, name: string, members: object) => {
    setSaid(`${what} …`)
    setSure(false)
    try {
      await act(token, name, members)
      setSaid(`${what}: done`)
    } catch (error) {
      setSaid(`${what}: ${(error as Error).message}`)
    }
  }
  const toggle = (id: string) => {
    const next = new Set(side)
    if (!next.delete(id)) next.add(id)
    setSide(next)
  }
  return (
    <div class="faults">
      <div class="fault-row">
        <label>
          node
          <select value={chosen} onChange={(event) => onNode(event.currentTarget.value)}>
            {ids.map((id) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        <button type="button" class="danger" onClick={() => run(`crash ${chosen}`, 'crash', { node: chosen })}>
          crash
        </button>
        <button type="button" onClick={() => run(`hang ${chosen}`, 'hang', { node: chosen, ms: HANG_MS })}>
          hang 3 s
        </button>
        {about.mayDestroy && (
          <button
            type="button"
            class={isSure ? 'danger' : ''}
            onClick={() =>
              isSure ? run(`give up ${chosen}`, 'crash', { node: chosen, permanent: true }) : setSure(true)
            }
            onBlur={() => setSure(false)}
          >
            {isSure ? 'really, for good?' : 'crash for good'}
          </button>
        )}
      </div>
      <fieldset>
        <legend>cut these off from the others</legend>
        <div class="chips">
          {ids.map((id) => (
            <label class="chip" key={id}>
              <input type="checkbox" checked={side.has(id)} onChange={() => toggle(id)} />
              {id}
            </label>
          ))}
        </div>
        <div class="fault-row">
          <button
            type="button"
            disabled={cutOff.length === 0 || others.length === 0}
            onClick={() => run(`cut ${cutOff.join(', ')} off`, 'cut', { idsA: cutOff, idsB: others })}
          >
            cut
          </button>
          <button type="button" class="main" onClick={() => run('heal', 'heal', {})}>
            heal everything
          </button>
        </div>
      </fieldset>
      <p class="quiet" role="status">
        {said ||
          (moment.frame.cuts.length === 0
            ? 'No link is cut.'
            : moment.frame.cuts.map(({ from, to }) => `${from.join(', ')} → ${to.join(', ')} cut`).join(' · '))}
      </p>
    </div>
  )
}
