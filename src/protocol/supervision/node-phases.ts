/** The phases of a node's life as others are to see them. Called by those who run a supervisor's core. */

import type { PeerStatus } from '../messages.js'
import type { SupervisedView } from './supervised.js'
import type { ResumeState } from './supervisor-events.js'

/** For a core that is rebuilt. */
export function stateOf(phase: SupervisedView['phase'], hasThread: boolean): ResumeState {
  if (phase === 'salvaging' || phase === 'salvaged') return hasThread ? 'salvage' : 'down'
  if (phase === 'down') return 'down'
  if (!hasThread) return 'ended'
  return phase === 'up' ? 'up' : 'starting'
}

/** For a gateway. */
export function statusOf(phase: SupervisedView['phase']): PeerStatus {
  if (phase === 'up') return 'up'
  if (phase === 'waiting') return 'exited'
  return phase === 'down' || phase === 'salvaging' || phase === 'salvaged' ? 'down' : 'starting'
}
