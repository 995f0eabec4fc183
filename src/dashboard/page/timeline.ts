/**
 * What the page knows of the last ten minutes: each kind of entry in the order of time, and what held at a moment. The newest moment
 * is one like any other, so that live and past are shown by the same code.
 */

import type { AboutEntry, EventEntry, FrameEntry, NodeFrame, NumberedEntry, RingEntry, ViewsEntry } from '../frames.js'
import { unpackNode } from '../frames.js'

/** Everything that held at one time. */
export interface Moment {
  readonly at: number
  readonly frame: FrameEntry
  readonly nodes: readonly NodeFrame[]
  /** The last whole interval's, at most a second old. */
  readonly rates: FrameEntry | undefined
  readonly ring: RingEntry | undefined
  readonly views: ViewsEntry | undefined
  readonly isNewest: boolean
}

interface Timed {
  readonly at: number
}

/** Entries of one kind. */
class Track<T extends Timed> {
  readonly entries: T[] = []

  add(entry: T): void {
    this.entries.push(entry)
  }

  /** The last one that is not after `at`; the first one of all if there is none. */
  atOrBefore(at: number): T | undefined {
    return this.entries[Math.max(0, this.countUpTo(at) - 1)]
  }

  countUpTo(at: number): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.entries[middle]?.at ?? 0) <= at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Those that hold no more; the last of them may still hold, and stays. */
  forgetBefore(at: number): void {
    const gone = this.countUpTo(at) - 1
    // Now and then, many at once.
    if (gone > 256) this.entries.splice(0, gone)
  }
}

export class Timeline {
  readonly frames = new Track<FrameEntry>()
  /** Those of whole intervals, which have rates. */
  readonly intervals = new Track<FrameEntry>()
  readonly rings = new Track<RingEntry>()
  readonly views = new Track<ViewsEntry>()
  readonly events = new Track<EventEntry>()
  readonly #about: AboutEntry
  #lastNumber = 0

  constructor(about: AboutEntry) {
    this.#about = about
  }

  get about(): AboutEntry {
    return this.#about
  }

  /** One that is known already is left out. */
  add(entry: NumberedEntry): void {
    if (entry.number <= this.#lastNumber) return
    this.#lastNumber = entry.number
    switch (entry.kind) {
      case 'frame':
        this.frames.add(entry)
        if (entry.requests !== undefined) this.intervals.add(entry)
        this.#forget(entry.at - this.#about.recordingMs)
        return
      case 'ring':
        return this.rings.add(entry)
      case 'views':
        return this.views.add(entry)
      case 'event':
        return this.events.add(entry)
      default:
        entry satisfies never
    }
  }

  get oldestAt(): number {
    return this.frames.entries[0]?.at ?? this.#about.at
  }

  get newestAt(): number {
    return this.frames.entries.at(-1)?.at ?? this.#about.at
  }

  /** `at` undefined: the newest. Undefined: nothing is known yet. */
  moment(at: number | undefined): Moment | undefined {
    const wanted = at ?? this.newestAt
    const frame = this.frames.atOrBefore(wanted)
    if (frame === undefined) return undefined
    return {
      at: frame.at,
      frame,
      nodes: frame.nodes.map(unpackNode),
      rates: this.intervals.atOrBefore(frame.at),
      ring: this.rings.atOrBefore(frame.at),
      views: this.views.atOrBefore(frame.at),
      isNewest: at === undefined,
    }
  }

  #forget(before: number): void {
    for (const track of [this.frames, this.intervals, this.rings, this.views, this.events]) track.forgetBefore(before)
  }
}
