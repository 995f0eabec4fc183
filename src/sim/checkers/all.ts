/** The checkers of a run, and what they are told beside what they observe. */

import type { Key } from '../../protocol/ids.js'
import type { Observer } from '../observer.js'
import type { Plan } from '../plan.js'
import { Availability } from './availability.js'
import { Batches } from './batches.js'
import { Bounds } from './bounds.js'
import type { Checker, Report } from './checker.js'
import { Credits } from './credits.js'
import { Dots } from './dots.js'
import { EarlierLives } from './earlier-lives.js'
import { Fills } from './fills.js'
import { GossipBound } from './gossip.js'
import { Ends, Linearizability, LostWrites, SiblingValues } from './histories.js'
import { LateRequests } from './late-requests.js'
import { LateWatchers } from './late-watchers.js'
import { Quorums } from './quorums.js'
import { HintsConserved, ReplicasIdentical } from './replicas.js'
import { Acknowledgements, Deadlines, Owners, Replies } from './replies.js'
import { RowEpochs } from './row-epochs.js'
import { Stamps } from './stamps.js'
import { EpochsGrow, OneTable, Placement } from './tables.js'

/** What a run tells. */
export interface FinalReads {
  onFinalRead(key: Key, texts: readonly string[]): void
  onSiblingWrite(key: Key, text: string, seen: readonly string[]): void
}

const PARTITIONS = 16

export function checkersFor(
  plan: Plan,
  report: Report,
  now: () => number,
): { readonly checkers: readonly Checker[]; readonly wire: Observer; readonly final: FinalReads } {
  const isSiblings = plan.conflict === 'siblings'
  const lost = new LostWrites(report, now)
  const siblings = new SiblingValues(report)
  const replies = [new Acknowledgements(report), new Owners(report, PARTITIONS), new Deadlines(report)]
  const wire = new Replies(replies)
  const common = [
    new Ends(report),
    ...replies,
    new OneTable(report),
    new EpochsGrow(report),
    new Placement(report, plan.nodes),
    new HintsConserved(report),
    new Fills(report),
    new ReplicasIdentical(report),
    new Credits(report),
    new GossipBound(report),
    new Bounds(report),
    new Availability(report),
    new Quorums(report),
    new RowEpochs(report),
    new EarlierLives(report),
    new LateRequests(report),
    new LateWatchers(report),
  ]
  const final: FinalReads = {
    onFinalRead: (key, texts) => (isSiblings ? siblings.onFinalRead(key, texts) : lost.onFinalRead(key, texts)),
    onSiblingWrite: (key, text, seen) => siblings.onWriteWithContext(key, text, seen),
  }
  if (isSiblings) return { checkers: [...common, siblings, new Dots(report)], wire, final }
  const linearizability = new Linearizability(report, (key) => key.startsWith('k'))
  const lww = [linearizability, lost, new Stamps(report), new Batches(report)]
  return { checkers: [...common, ...lww], wire, final }
}
