/**
 * The connection to the server: entries as they come, and once for each connection what was recorded before. The page shows the
 * newest state as soon as the first line is there; the past follows.
 */

import { DrawPace } from '../draw-pace.js'
import type { AboutEntry, NumberedEntry } from '../frames.js'
import { Timeline } from './timeline.js'

export interface StreamState {
  readonly timeline: Timeline | undefined
  readonly isConnected: boolean
}

type OnChange = (state: StreamState) => void

export class Stream {
  readonly #onChange: OnChange
  readonly #source: EventSource
  #timeline: Timeline | undefined
  #isConnected = false
  readonly #pace = new DrawPace()
  /** Of the connection whose recording is being fetched. */
  #fetching: AbortController | undefined
  /** What has come meanwhile. */
  #waiting: NumberedEntry[] = []

  constructor(onChange: OnChange) {
    this.#onChange = onChange
    this.#source = new EventSource('/v1/stream')
    this.#source.addEventListener('message', ({ data }) => this.#onLine(String(data)))
    this.#source.addEventListener('error', () => this.#tell(false))
    document.addEventListener('visibilitychange', this.#onVisible)
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#onVisible)
    this.#source.close()
    this.#fetching?.abort()
  }

  #onLine(line: string): void {
    const entry = JSON.parse(line) as AboutEntry | NumberedEntry
    if (entry.kind === 'about') return this.#begin(entry)
    if (this.#fetching !== undefined) this.#waiting.push(entry)
    this.#timeline?.add(entry)
    if (entry.kind === 'event' || (entry.kind === 'frame' && (this.#pace.isDue(entry) || !this.#isConnected)))
      this.#tell(true)
  }

  #begin(about: AboutEntry): void {
    this.#fetching?.abort()
    this.#waiting = []
    // What was shown before the connection was lost is shown until there is something newer.
    if (this.#timeline === undefined) this.#timeline = new Timeline(about)
    const fetching = new AbortController()
    this.#fetching = fetching
    void this.#fetchRecording(about, fetching.signal)
  }

  async #fetchRecording(about: AboutEntry, signal: AbortSignal): Promise<void> {
    try {
      const response = await fetch('/v1/recording', { signal })
      const lines = (await response.text()).trimEnd().split('\n')
      if (!response.ok || signal.aborted) return
      const timeline = new Timeline(about)
      for (const line of lines.slice(1)) timeline.add(JSON.parse(line) as NumberedEntry)
      for (const entry of this.#waiting) timeline.add(entry)
      this.#timeline = timeline
      this.#tell(true)
    } catch (error) {
      // The connection was lost: the next one fetches it again.
      if (!signal.aborted && !(error instanceof TypeError)) throw error
    } finally {
      if (this.#fetching?.signal === signal) {
        this.#fetching = undefined
        this.#waiting = []
      }
    }
  }

  readonly #onVisible = (): void => this.#tell(this.#isConnected)

  #tell(isConnected: boolean): void {
    this.#isConnected = isConnected
    // Nothing is drawn that nobody sees; what comes is kept.
    if (document.hidden) return
    this.#onChange({ timeline: this.#timeline, isConnected: this.#isConnected })
  }
}
