/** When the page is drawn anew: at once when something happened, else as often as numbers can be read. */

import type { FrameEntry } from './frames.js'

/** Somewhat less than two of the recorder's looks, and than four: nobody reads the numbers of many nodes as often. */
const DRAW_MS_MIN = 900
const DRAW_MS_MIN_OF_MANY = 1_900
const MANY_NODES = 16

export class DrawPace {
  #drawnAt = Number.NEGATIVE_INFINITY

  /** Of a frame that has just come. One without rates was looked at because something happened. */
  isDue({ at, requests, nodes }: Pick<FrameEntry, 'at' | 'requests' | 'nodes'>): boolean {
    const waitMs = nodes.length > MANY_NODES ? DRAW_MS_MIN_OF_MANY : DRAW_MS_MIN
    // The server's clock may be set back.
    if (requests !== undefined && Math.abs(at - this.#drawnAt) < waitMs) return false
    this.#drawnAt = at
    return true
  }
}
