/**
 * Tells the requests what became of what they had sent to a peer, or had waiting for it, when that peer is late, falls silent, or
 * its life ends. Decides nothing. Called by `Coordination`.
 */

import type { ForwardRequest } from './forward.js'
import type { Lane, LaneEntry } from './lane.js'
import type { Peer } from './peer.js'
import type { Desk, LostLeg } from './request.js'

/** It may still answer what it was sent; what waited is taken back. */
export function tellSilent(desk: Desk, peer: Peer, forwards: () => readonly ForwardRequest[]): void {
  for (const lane of peer.lanes) {
    const waiting = lane.takeBack()
    const sent = lane.outstanding?.entries ?? []
    tellEntries(desk, peer, sent, { sent: true, silent: true })
    tellEntries(desk, peer, waiting, { sent: false, silent: true })
  }
  tellForwards(desk, peer, forwards, true)
}

/** Its reads are overdue, and asked elsewhere: what only waited behind them is taken back, to be read elsewhere too. */
export function tellOverdue(desk: Desk, peer: Peer): void {
  tellEntries(desk, peer, peer.reads.takeBack(), { sent: false, silent: false })
}

/** It will never answer. */
export function tellEnded(desk: Desk, peer: Peer, forwards: () => readonly ForwardRequest[]): void {
  for (const lane of peer.lanes as readonly Lane<LaneEntry>[]) {
    const { sent, unsent } = lane.reset()
    tellEntries(desk, peer, sent, { sent: true, silent: false })
    tellEntries(desk, peer, unsent, { sent: false, silent: false })
  }
  tellForwards(desk, peer, forwards, false)
  peer.forwarded = 0
}

function tellEntries(desk: Desk, { node }: Peer, entries: readonly LaneEntry[], lost: LostLeg): void {
  // Once each: a request with several entries there would otherwise begin anew for every one of them.
  for (const request of new Set(entries.map((entry) => entry.request))) {
    if (request.phase !== 'gone') request.onLegLost(desk, node, lost)
  }
}

function tellForwards(desk: Desk, peer: Peer, forwards: () => readonly ForwardRequest[], silent: boolean): void {
  for (const request of forwards()) request.onLegLost(desk, peer.node, { sent: true, silent })
}
