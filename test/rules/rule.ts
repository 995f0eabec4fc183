/** A rule of the protocol, and what holds it. */

import type { Finder } from '../../src/sim/index.js'

export interface Rule {
  readonly section: string
  /** Verbatim. */
  readonly text: string
  /** Checkers of the simulator that watch it, or the protocol's own assertions (`invariants`). */
  readonly checkers?: readonly Finder[]
  /** File below `test`, and words of a test's title in it. */
  readonly tests?: readonly (readonly [file: string, title: string])[]
  /** What of it is not in this version, or lies elsewhere. */
  readonly note?: string
}
