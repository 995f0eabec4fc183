/** The events up to the moment that is shown, the newest first. */

import { clockWithMs } from './format.js'
import type { Moment, Timeline } from './timeline.js'

/** Of those that there are, which the recording keeps. */
const SHOWN_MAX = 80

interface EventLogProps {
  readonly timeline: Timeline
  readonly moment: Moment
  readonly onGo: (at: number) => void
}

export function EventLog({ timeline, moment, onGo }: EventLogProps) {
  const { entries } = timeline.events
  // Live, those since the last frame are shown too.
  const upTo = moment.isNewest ? entries.length : timeline.events.countUpTo(moment.at)
  const shown = entries.slice(Math.max(0, upTo - SHOWN_MAX), upTo).reverse()
  if (shown.length === 0) return <p class="quiet">Nothing has happened yet.</p>
  return (
    <ol class="events scroll" aria-label="Events, the newest first">
      {shown.map(({ at, event, tone, text }, index) => (
        <li key={`${at} ${upTo - index}`} class={tone} data-event={event}>
          <button type="button" class="when" onClick={() => onGo(at)} title="show the cluster at this moment">
            {clockWithMs(at)}
          </button>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  )
}
