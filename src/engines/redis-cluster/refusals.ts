/**
 * What an error reply means for a request. Redis begins each with a word that is part of its protocol; what follows is for people.
 *
 * An error reply says that the command was not carried out, and so it is definite: whoever gets one may send the command again.
 */

import type { CoterieErrorCode } from '../../shared/errors.js'

export type Refusal =
  /** Another node has the slot; `ask`: for this one command, while the slot moves. */
  | { readonly type: 'elsewhere'; readonly address: string; readonly isAsk: boolean }
  /** The node does not know the script. */
  | { readonly type: 'script' }
  /** The keys of the command are at two nodes, or it is not known at which: until its slot has moved, each may be asked for by itself. */
  | { readonly type: 'moving' }
  /** Later it may be done, here or elsewhere. */
  | { readonly type: 'later' }
  /** It will not be done. */
  | { readonly type: 'definite'; readonly code: CoterieErrorCode }

const LATER = new Set([
  // A slot without a master, or a node that sees no majority.
  'CLUSTERDOWN',
  // It reads its data set, or copies that of its master.
  'LOADING',
  'MASTERDOWN',
  // It was a master when it was chosen.
  'READONLY',
  // A script of somebody runs.
  'BUSY',
  // A replica's role changed while WAIT waited on it.
  'UNBLOCKED',
])

/** `min-replicas-to-write` is not met. */
const NO_QUORUM = new Set(['NOREPLICAS'])

export function refusalOf(text: string): Refusal {
  const [word = '', , address = ''] = text.split(' ')
  if (word === 'MOVED' || word === 'ASK') return { type: 'elsewhere', address, isAsk: word === 'ASK' }
  if (word === 'NOSCRIPT') return { type: 'script' }
  if (word === 'TRYAGAIN') return { type: 'moving' }
  if (LATER.has(word)) return { type: 'later' }
  return { type: 'definite', code: NO_QUORUM.has(word) ? 'QUORUM_UNAVAILABLE' : 'STORE_FAILED' }
}
