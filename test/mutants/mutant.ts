/** Wrong versions of the protocol, each by one small change of its source. */

import type { Finder } from '../../src/sim/index.js'
import type { RuleId } from '../rules/rules.js'

export interface Change {
  readonly file: string
  /** Stands in the file exactly once: who changes that place of the code is told to look at its mutant. */
  readonly find: string
  readonly replace: string
}

interface Wrong extends Change {
  readonly name: string
  /** The sentence of the design that it breaks. */
  readonly rule: RuleId
  /** Where one change is guarded by another place. */
  readonly also?: Change
}

/** Seen in the simulator. */
export interface Mutant extends Wrong {
  /** What must catch it, whatever else does. */
  readonly checker: Finder
}

/** Of what the simulator does not see (files, real clocks, what all nodes have in common). */
export interface TestedMutant extends Wrong {
  /** What must catch it: a file below `test`, and words of the test's title. */
  readonly test: readonly [file: string, title: string]
}
