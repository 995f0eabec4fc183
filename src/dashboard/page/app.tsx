/** The page as a whole: what was chosen, which moment is shown, and where everything stands. */

import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { takeToken } from './actions.js'
import { Charts } from './charts.js'
import { EventLog } from './event-log.js'
import { Faults } from './faults.js'
import { Gossip } from './gossip.js'
import { Header } from './header.js'
import { InFlight } from './in-flight.js'
import { KeyPath } from './key-path.js'
import { NodeCard } from './node-card.js'
import { NodesTable } from './nodes-table.js'
import { Ring } from './ring.js'
import { Stream, type StreamState } from './stream.js'
import { applyTheme, chooseTheme, currentTheme, onSystemTheme } from './theme.js'
import { TimeBar } from './time-bar.js'
import type { Timeline } from './timeline.js'

/** So much is shown at least, so that the first minute does not fill the whole width. */
const RANGE_MS_MIN = 60_000
const NO_RANGE = [0, 0] as const

export function App() {
  const [{ timeline, isConnected }, setState] = useState<StreamState & { tick?: number }>({
    timeline: undefined,
    isConnected: true,
  })
  const [at, setAt] = useState<number | undefined>(undefined)
  const [theme, setTheme] = useState(currentTheme)
  const [node, setNode] = useState<string | undefined>(undefined)
  const [partition, setPartition] = useState<number | undefined>(undefined)
  const [token] = useState(takeToken)

  useEffect(() => {
    // The timeline is added to in place: each change is told as another state.
    const stream = new Stream((state) => setState({ ...state, tick: performance.now() }))
    return () => stream.close()
  }, [])
  useEffect(() => {
    onSystemTheme((changed) => {
      applyTheme(changed)
      setTheme(changed)
    })
  }, [])

  const moment = timeline?.moment(at)
  const range = timeline === undefined ? NO_RANGE : rangeOf(timeline)
  // Four pictures: once a second is often enough, and when something was chosen.
  const second = Math.floor((timeline?.newestAt ?? 0) / 1_000)
  const charts = useMemo(
    () =>
      timeline === undefined || moment === undefined ? null : (
        <Charts timeline={timeline} moment={moment} range={[range[0] / 1_000, range[1] / 1_000]} theme={theme} />
      ),
    [timeline, second, at, theme],
  )
  if (timeline === undefined || moment === undefined) return <p class="waiting">Waiting for the cluster …</p>
  const onTheme = (chosen: typeof theme) => {
    chooseTheme(chosen)
    setTheme(chosen)
  }
  return (
    <>
      <Header
        about={timeline.about}
        moment={moment}
        isConnected={isConnected}
        mayAct={token !== undefined}
        theme={theme}
        onTheme={onTheme}
      />
      <main>
        <Card name="Ring" class="ring-place">
          <Ring
            moment={moment}
            theme={theme}
            node={node}
            partition={partition}
            onNode={setNode}
            onPartition={setPartition}
          />
        </Card>
        <Card name="Nodes" class="nodes-place">
          <NodesTable moment={moment} theme={theme} node={node} onNode={setNode} />
          {node !== undefined && <NodeCard moment={moment} id={node} />}
        </Card>
        <Card name="Gossip" class="gossip-place">
          <Gossip moment={moment} theme={theme} />
        </Card>
        <Card name="In flight" class="flight-place">
          <InFlight moment={moment} />
        </Card>
        <Card name="Traffic" class="charts-place">
          {charts}
        </Card>
        <Card name="One key's way" class="key-place">
          <KeyPath token={token} tick={timeline.newestAt} isPast={!moment.isNewest} onPartition={setPartition} />
        </Card>
        <Card name="Faults" class="faults-place">
          <Faults about={timeline.about} moment={moment} token={token} node={node} onNode={setNode} />
        </Card>
        <Card name="Events" class="events-place">
          <EventLog timeline={timeline} moment={moment} onGo={setAt} />
        </Card>
      </main>
      <TimeBar timeline={timeline} moment={moment} range={range} onAt={setAt} />
    </>
  )
}

interface CardProps {
  readonly name: string
  readonly class: string
  readonly children: ComponentChildren
}

function Card({ name, class: place, children }: CardProps) {
  const id = `${place}-title`
  return (
    <section class={`card ${place}`} aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      {children}
    </section>
  )
}

function rangeOf({ oldestAt, newestAt, about }: Timeline): readonly [from: number, to: number] {
  const from = Math.max(newestAt - about.recordingMs, Math.min(oldestAt, newestAt - RANGE_MS_MIN))
  return [from, newestAt]
}
