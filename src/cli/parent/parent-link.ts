/** The child's end of `parent.ts`: it is told to stop, says that it is open, and stops when its parent is gone. Called by `start.ts`. */

import type { NativeDeath } from '../../storage/opening-marker.js'
import type { StopSignals } from '../stop-signals.js'
import { DEATH_VARIABLE, type FromChild, type ToChild } from './parent-protocol.js'

/** Without a parent nothing is done. */
export function listenToParent(stop: StopSignals): void {
  if (process.send === undefined) return
  process.on('message', (message: ToChild) => stop.relayed(message.stop))
  process.once('disconnect', () => stop.request('parent gone'))
  // It must not keep the process alive.
  process.channel?.unref()
}

export function tellParent(what: FromChild): void {
  // A parent that is gone meanwhile has been noticed: see `disconnect`.
  if (process.connected) process.send?.(what, () => undefined)
}

/** What the parent saw of the process before this one. */
export function deathBefore(): NativeDeath | undefined {
  const [, signal, pid] = /^(SIG[A-Z]+):(\d+)$/.exec(process.env[DEATH_VARIABLE] ?? '') ?? []
  return signal === undefined ? undefined : { signal, pid: Number(pid) }
}
