/**
 * The rules of the protocol, sentence by sentence as the design says them in its section 3, and what holds each: checkers that
 * watch it in the simulator, mutants that break it (those name their rule: `../mutants`), tests of what the simulator cannot see.
 *
 * `../RULES.md` is made from this, and `rules.test.ts` sees to it that every name in it is one.
 */

import { LIVING } from './living.js'
import { PLACING } from './placing.js'
import { REQUESTING } from './requesting.js'

export const RULES = { ...PLACING, ...REQUESTING, ...LIVING }

export type RuleId = keyof typeof RULES
