/**
 * How much an event matters in a log, by the names that loggers have for it. *error*: somebody must do something. *warn*: the cluster
 * mends it by itself, and it should not happen often. *info*: its shape or a node's life has changed. *debug*: its daily work, which can
 * come by the thousand.
 */

import type { ClusterEvents } from '../shared/cluster-events.js'

/** From what is nobody's business to what ends everything. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'
type Levels = {
  readonly [Name in keyof ClusterEvents]: LogLevel | ((facts: ClusterEvents[Name][0] & object) => LogLevel)
}

const LEVELS: Levels = {
  'node:exit': ({ code }) => (code === 0 ? 'info' : 'warn'),
  failpoint: 'warn',
  'node:up': 'info',
  'node:suspect': 'warn',
  'node:down': 'error',
  'node:hung': 'warn',
  'node:joined': 'info',
  'node:promoted': 'info',
  'node:removed': 'info',
  'node:full': 'error',
  'node:room': 'info',
  scrub: ({ problems, error }) => (problems.length > 0 || error !== undefined ? 'warn' : 'debug'),
  'node:quarantine': 'warn',
  'node:amnesia': 'warn',
  'node:lost-tail': 'warn',
  epoch: 'info',
  handoff: 'debug',
  repair: 'debug',
  transfer: 'debug',
  'tombstones:dropped': 'debug',
  'transfer:progress': 'debug',
  exchange: 'debug',
  'partition:lost': 'error',
  'record:damaged': 'warn',
  'record:stuck': 'error',
  'supervisor:restart': 'error',
  'folder:full': 'error',
  fatal: 'fatal',
  converged: 'info',
  close: 'info',
}

export function levelOf<Name extends keyof ClusterEvents>(event: Name, facts: ClusterEvents[Name][0]): LogLevel {
  const level: LogLevel | ((facts: never) => LogLevel) = LEVELS[event]
  return typeof level === 'string' ? level : level((facts ?? {}) as never)
}
