/** The slider over the last ten minutes, the events on it as ticks, and the way back to now. */

import { ago, clock } from './format.js'
import type { Moment, Timeline } from './timeline.js'

interface TimeBarProps {
  readonly timeline: Timeline
  readonly moment: Moment
  readonly range: readonly [from: number, to: number]
  readonly onAt: (at: number | undefined) => void
}

/** Of the keyboard's arrows. */
const STEP_MS = 500
/** Ticks that are drawn; of more, the last ones. */
const TICKS_MAX = 200
/** As near to the end as this is now. */
const NOW_MS = 400

export function TimeBar({ timeline, moment, range, onAt }: TimeBarProps) {
  const [from, to] = range
  const first = Math.max(from, timeline.oldestAt)
  const { entries } = timeline.events
  const marked = entries.filter(({ at, tone }) => at >= from && tone !== 'quiet').slice(-TICKS_MAX)
  const go = (at: number) => onAt(at >= to - NOW_MS ? undefined : Math.max(first, at))
  const before = marked.findLast(({ at }) => at < moment.at - 1)
  const after = marked.find(({ at }) => at > moment.at)
  const place = (at: number) => ((at - from) / Math.max(1, to - from)) * 1_000
  return (
    <section class={moment.isNewest ? 'time-bar' : 'time-bar past'} id="time" aria-label="Time">
      <div class="time-buttons">
        <button
          type="button"
          aria-label="The event before"
          disabled={before === undefined}
          onClick={() => onAt(before?.at)}
        >
          ‹
        </button>
        <button
          type="button"
          aria-label="The event after"
          disabled={moment.isNewest || after === undefined}
          onClick={() => go(after?.at ?? to)}
        >
          ›
        </button>
        <button
          type="button"
          class="live"
          aria-pressed={moment.isNewest}
          onClick={() => onAt(moment.isNewest ? moment.at : undefined)}
        >
          {moment.isNewest ? '● live' : 'go live'}
        </button>
      </div>
      <div class="slider">
        <svg class="ticks" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
          <rect class="recorded" x={place(first)} y="4" width={1_000 - place(first)} height="2" />
          {marked.map(({ at, tone }, index) => (
            <rect key={`${at} ${index}`} class={tone} x={place(at)} y="0" width="1.6" height="10" />
          ))}
        </svg>
        <input
          type="range"
          min={from}
          max={to}
          step={STEP_MS / 10}
          value={moment.isNewest ? to : moment.at}
          aria-label="The moment that is shown"
          aria-valuetext={moment.isNewest ? 'now' : `${clock(moment.at)}, ${ago(timeline.newestAt - moment.at)}`}
          onInput={(event) => go(Number(event.currentTarget.value))}
          onKeyDown={(event) => {
            const step = STEPS[event.key]
            if (step === undefined) return
            event.preventDefault()
            go(moment.at + step)
          }}
        />
      </div>
      <p class="moment" data-at={moment.at}>
        <b>{clock(moment.at)}</b>
        <span>{moment.isNewest ? 'now' : ago(timeline.newestAt - moment.at)}</span>
      </p>
    </section>
  )
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -STEP_MS,
  ArrowDown: -STEP_MS,
  ArrowRight: STEP_MS,
  ArrowUp: STEP_MS,
  PageDown: -10_000,
  PageUp: 10_000,
}
