/**
 * The faults that stay in effect until they are healed, as plain data: what a node's thread is told to do to its links,
 * its disk and its wall clock. Made by `src/standing-faults.ts`, carried out by `NodeFaults`.
 *
 * Every link has a node at one end at least, so only nodes' threads enforce them: gateways need to know nothing.
 */

import type { Address, NodeId } from '../../src/protocol/ids.js'
import type { Failpoint } from '../../src/shared/failpoints.js'

/** What happens to the messages of a link. Shares are 0 … 1, each message tries its own luck; times are milliseconds. */
export type LinkFault =
  | { readonly type: 'cut' }
  /** Keeps the order of the link: jitter makes a message late, never early. */
  | { readonly type: 'delay'; readonly ms: number; readonly jitterMs: number }
  | { readonly type: 'drop'; readonly share: number }
  | { readonly type: 'duplicate'; readonly share: number }
  /** Some are held back for so long and overtaken by what was sent after them. */
  | { readonly type: 'reorder'; readonly share: number; readonly ms: number }

/** Holds for every link from one of `from` to one of `to`. */
export interface LinkRule {
  readonly from: readonly Address[]
  readonly to: readonly Address[]
  readonly fault: LinkFault
}

/** A node is to die at a point. */
export interface Death {
  readonly node: NodeId
  readonly point: Failpoint
  /** An Int32: how often it still comes by, the deadly time included. Shared by all lives of the node, so that it dies once. */
  readonly left: SharedArrayBuffer
}

/** All standing faults of a cluster; each change makes a new value. */
export interface FaultRules {
  readonly links: readonly LinkRule[]
  /** What each store operation of a node takes longer, in milliseconds. */
  readonly slow: Readonly<Record<NodeId, number>>
  /** By how much a node's wall clock is wrong, in milliseconds. */
  readonly skew: Readonly<Record<NodeId, number>>
  readonly deaths: readonly Death[]
  /** Gateways that a rule names: they enforce nothing, so the node at the other end does. */
  readonly gateways: readonly Address[]
}

export const NO_FAULTS: FaultRules = { links: [], slow: {}, skew: {}, deaths: [], gateways: [] }

/** What the rules keep, for a bound: a rule counts once for each sender that it names. Healing links never makes it more. */
export function sendersIn(links: readonly LinkRule[]): number {
  return links.reduce((sum, { from }) => sum + from.length, 0)
}

/** The rules without some links: each goes on for the others. */
export function withoutLinks(
  links: readonly LinkRule[],
  isHealed: (from: Address, to: Address) => boolean,
): readonly LinkRule[] {
  return links.flatMap((rule) => {
    const isTouched = (from: Address) => rule.to.some((to) => isHealed(from, to))
    const touched = rule.from.filter(isTouched)
    if (touched.length === 0) return [rule]
    // One for each sender that some link is healed of, so that senders are as many as before; the others stay together.
    const parts = [{ ...rule, from: rule.from.filter((from) => !touched.includes(from)) }]
    for (const from of touched) parts.push({ ...rule, from: [from], to: rule.to.filter((to) => !isHealed(from, to)) })
    return parts.filter(({ from, to }) => from.length > 0 && to.length > 0)
  })
}
