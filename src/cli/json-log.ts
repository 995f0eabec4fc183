/**
 * What `coterie start --json` writes: lines of pino's, each with the event and its facts as fields. The only importer of pino, which is
 * loaded for it.
 */

import type { Writable } from 'node:stream'
import { levelOf } from '../observe/event-levels.js'
import { loggedFacts } from '../observe/log-events.js'
import { type ClusterEvents, EVENT_NAMES } from '../shared/cluster-events.js'

/** What may be said beside a text. */
export interface Said {
  readonly at?: Date
  readonly facts?: object
}

/** `event`: a name of the cluster's events, or what the command itself does. */
export type Say = (event: string, text: string, said?: Said) => void

/** Everything is written, at the level that it has: whoever reads the lines chooses. */
export async function jsonLog(output: Writable): Promise<Say> {
  const { pino } = await import('pino')
  const options = {
    level: 'debug',
    base: { pid: process.pid },
    formatters: { level: (level: string) => ({ level }) },
    // The time of the event, which may have been gathered before it was told.
    timestamp: false,
  }
  const logger = pino(options, output)
  return (event, text, { at = new Date(), facts = {} } = {}) => {
    const fields = { time: at.toISOString(), event }
    if (isClusterEvent(event)) logger[levelOf(event, facts as never)]({ ...fields, ...loggedFacts(event, facts) }, text)
    else logger[event === 'control' ? 'warn' : 'info']({ ...fields, ...facts }, text)
  }
}

function isClusterEvent(event: string): event is keyof ClusterEvents {
  return (EVENT_NAMES as readonly string[]).includes(event)
}
