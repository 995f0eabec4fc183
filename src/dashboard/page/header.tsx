/** What a glance is to tell: which cluster, is it well, what it does; and the choice of light or dark. */

import { useEffect } from 'preact/hooks'
import type { AboutEntry } from '../frames.js'
import { count, milliseconds, plural } from './format.js'
import type { Theme } from './theme.js'
import type { Moment } from './timeline.js'

interface HeaderProps {
  readonly about: AboutEntry
  readonly moment: Moment
  readonly isConnected: boolean
  readonly mayAct: boolean
  readonly theme: Theme
  readonly onTheme: (theme: Theme) => void
}

export function Header({ about, moment, isConnected, mayAct, theme, onTheme }: HeaderProps) {
  const { frame, nodes, rates } = moment
  const { tone, text } = verdictOf(moment, isConnected)
  // Seen among other tabs, too.
  useEffect(() => {
    document.title = `${text} · Coterie`
  }, [text])
  const up = nodes.filter(({ status }) => status === 'up').length
  const all = rates?.requests?.all
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <header>
      <a class="skip" href="#time">
        Skip to the time slider
      </a>
      <div class="brand">
        <img src="/icon.svg" alt="" width="30" height="30" />
        <div>
          <h1>Coterie</h1>
          <p class="quiet path" title={about.location}>
            {about.location}
          </p>
        </div>
      </div>
      <p class={`verdict pill ${tone}`} role="status" data-verdict={tone}>
        {text}
      </p>
      <dl class="glance">
        <Glance name="nodes up" value={`${up} of ${nodes.length}`} data="up" />
        <Glance name="epoch" value={count(frame.epoch)} data="epoch" />
        <Glance name="n · r · w" value={`${frame.n} · ${frame.r} · ${frame.w}`} data="quorums" />
        <Glance name="requests/s" value={count(Math.round(all?.[0] ?? 0))} data="rate" />
        <Glance name="p99" value={milliseconds(all?.[3] ?? null)} data="p99" />
      </dl>
      <div class="header-end">
        <span class="quiet">{mayAct ? 'may act' : 'read only'}</span>
        <button type="button" class="theme" onClick={() => onTheme(other)} aria-label={`Change to ${other}`}>
          {theme === 'dark' ? '☀' : '☾'}
        </button>
      </div>
    </header>
  )
}

function Glance({ name, value, data }: { readonly name: string; readonly value: string; readonly data: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-glance={data}>{value}</dd>
    </div>
  )
}

/** The worst first. */
function verdictOf({ frame, nodes }: Moment, isConnected: boolean): { readonly tone: string; readonly text: string } {
  if (!isConnected) return { tone: 'bad', text: '✕ the process does not answer' }
  if (frame.partitionsLost > 0) return { tone: 'bad', text: `✕ ${plural(frame.partitionsLost, 'partition')} lost` }
  const away = nodes.filter(({ status }) => status !== 'up')
  if (away.length > 0) {
    const isDown = away.some(({ status }) => status === 'down')
    const who =
      away.length > 2 ? plural(away.length, 'node') : away.map(({ id, status }) => `${id} ${status}`).join(', ')
    return { tone: isDown ? 'bad' : 'warning', text: `▲ ${who}${away.length > 2 ? ' not up' : ''}` }
  }
  if (frame.cuts.length > 0) return { tone: 'warning', text: '▲ links are cut' }
  return frame.converged ? { tone: 'good', text: '● all is well' } : { tone: 'warning', text: '◐ converging' }
}
