/**
 * Failpoints: moments at which a node can be told to die, named after the messages of the protocol (`src/protocol/README.md`
 * has the table). `receive:` is just before the node handles one, `send:` just before it says one.
 */

import type { Message } from '../protocol/messages.js'

/** A moment in a node's life, as `receive:transfer/chunk`. */
export type Failpoint = `${'receive' | 'send'}:${Message['type']}`

const MESSAGES = {
  'coordinate/replies': true,
  'coordinate/requests': true,
  'coordinate/taken': true,
  'exchange/compare': true,
  'exchange/differ': true,
  'exchange/done': true,
  'exchange/hashes': true,
  'exchange/start': true,
  'exchange/unequal': true,
  'gateway/lost': true,
  'gossip/ack': true,
  'gossip/ack2': true,
  'gossip/syn': true,
  'heal/start': true,
  'heal/stuck': true,
  'hint/lost': true,
  'hint/store': true,
  'hint/stored': true,
  'link/ping': true,
  'link/pong': true,
  'member/declared': true,
  'membership/heartbeat': true,
  'peer/changed': true,
  'reap/ask': true,
  'reap/drop': true,
  'reap/held': true,
  'reap/start': true,
  'replica/read': true,
  'replica/read-reply': true,
  'replica/scan': true,
  'replica/scan-reply': true,
  'replica/write': true,
  'replica/write-reply': true,
  'retire/done': true,
  'retire/start': true,
  'table/activate': true,
  'table/announce': true,
  'table/request': true,
  'table/stored': true,
  'transfer/chunk': true,
  'transfer/done': true,
  'transfer/pull': true,
  'transfer/start': true,
} as const satisfies Record<Message['type'], true>

/** All of them. A node that never receives, or never sends, such a message never comes by. */
export const FAILPOINTS: readonly Failpoint[] = (Object.keys(MESSAGES) as Message['type'][]).flatMap(
  (type) => [`receive:${type}`, `send:${type}`] as const,
)
