/**
 * What to do about a silent peer: ask whether it is there, and send again what it has not answered.
 *
 * A hung or slow node has what it was sent; sending that again would only make its mailbox grow. So it is asked first, by
 * a small message that is answered at once: only who answers, and still not to what it was sent, is sent that again. Both
 * are done ever more rarely, each pause as long as all before it, up to a second.
 *
 * It must never send again what the peer's earlier life was sent: lanes are emptied when a life ends. A repeated message has
 * the same id, and its receiver must be able to take it twice. Called by `Coordination`.
 */

import type { Epoch } from '../ids.js'
import type { Message, MessageId } from '../messages.js'
import type { Peer } from './peer.js'

const PAUSE_MS_MIN = 25
const PAUSE_MS_MAX = 1_000

/** A question for every peer whose time has come. */
export function pingSilent(peers: readonly Peer[], nowMs: number, send: Send, nextId: () => MessageId): void {
  for (const peer of peers) {
    if (!isSilent(peer) || nowMs < peer.pingAtMs) continue
    peer.pingId = nextId()
    peer.pingedAtMs = nowMs
    peer.pingAtMs = nowMs + pauseAfter(nowMs - (peer.oldestSentAtMs() ?? nowMs))
    send(peer, { type: 'link/ping', id: peer.pingId })
  }
}

/** Who coordinates requests of ours and says nothing is asked by an empty batch, whose credit comes back at once. */
export function pingQuiet(peer: Peer, id: MessageId, epoch: Epoch, nowMs: number): Message {
  const message: Message = { type: 'coordinate/requests', id, epoch, requests: [] }
  peer.coordinate.ping(id, nowMs)
  peer.coordinate.sent(message)
  peer.heardAtMs = nowMs
  return message
}

/** It is there: what left before the question, and was not answered before this answer, may be lost. */
export function onPong(peer: Peer, replyTo: MessageId, nowMs: number, send: Send): void {
  if (peer.pingId !== replyTo || peer.status !== 'up') return
  for (const { outstanding } of peer.lanes) {
    if (outstanding?.message === undefined || outstanding.lastSentAtMs > peer.pingedAtMs) continue
    const { sentAtMs, lastSentAtMs } = outstanding
    // Questions are asked at that pace already, but an answer may be quicker than the one before it; then a second would be lost.
    if (nowMs - lastSentAtMs < pauseAfter(lastSentAtMs - sentAtMs) / 2) continue
    outstanding.lastSentAtMs = nowMs
    send(peer, outstanding.message)
  }
}

/** When somebody is to be asked next. */
export function nextPingMs(peers: readonly Peer[]): number {
  let next = Number.POSITIVE_INFINITY
  for (const peer of peers) if (isSilent(peer) && peer.pingAtMs < next) next = peer.pingAtMs
  return next
}

type Send = (peer: Peer, message: Message) => void

function isSilent(peer: Peer): boolean {
  return peer.silent && peer.status === 'up'
}

function pauseAfter(passedMs: number): number {
  return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, passedMs))
}
