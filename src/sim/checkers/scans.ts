/** The form of a scan's page; what it says of each key is for `ReadValues`, `Linearizability` and `SiblingValues`. */

import type { OperationOutcome, ScanPage } from '../../protocol/coordinator/request.js'
import { type Call, isCovered, isInRange } from '../call.js'
import { Checker, textsOf } from './checker.js'

export class Scans extends Checker {
  readonly name = 'scans'
  readonly rule = 'Scans: keys in byte order, none twice, of the range, no more than asked for, and each with a value'

  onEnd(call: Call, outcome: OperationOutcome): void {
    if (outcome.type !== 'page') return
    const { range, limit } = call.page
    const wrong = wrongOf(outcome.page, call)
    if (wrong !== undefined)
      this.broken(`call ${call.number} (scan of ${JSON.stringify(range)}, at most ${limit}): ${wrong}`)
  }
}

/** The first thing that is wrong with a page. */
function wrongOf({ keys, records, next }: ScanPage, { page: { range, limit } }: Call): string | undefined {
  if (keys.length > limit) return `a page of ${keys.length} keys`
  if (next !== undefined && !isInRange(next, range)) return `the next page would begin after ${next}`
  for (const [place, key] of keys.entries()) {
    const before = keys[place - 1]
    if (!isInRange(key, range)) return `${key} is none of the range`
    if (before !== undefined && (range.reverse ? before <= key : before >= key)) return `${key} comes after ${before}`
    if (!isCovered(key, range, next)) return `${key} comes, and comes again in the page after ${next}`
    if (textsOf(records[place]).length === 0) return `${key} comes without a value`
  }
  return undefined
}
