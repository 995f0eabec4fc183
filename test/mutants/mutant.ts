/** A wrong version of the protocol, by one small change of its source. */

import type { Finder } from '../../src/sim/index.js'
import type { RuleId } from '../rules/rules.js'

export interface Mutant {
  readonly name: string
  /** The sentence of the design that it breaks. */
  readonly rule: RuleId
  /** What must catch it, whatever else does. */
  readonly checker: Finder
  readonly file: string
  /** Stands in the file exactly once: who changes that place of the code is told to look at its mutant. */
  readonly find: string
  readonly replace: string
  /** Where one change is guarded by another place. */
  readonly also?: { readonly file: string; readonly find: string; readonly replace: string }
}
