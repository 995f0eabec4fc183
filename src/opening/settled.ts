/** What `cluster.settled` waits for. Called by `open-cluster.ts` only. */

import { setTimeout as delay } from 'node:timers/promises'
import { nowMs } from '../../actors/runtime/clock.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import type { ClusterStatus } from '../shared/cluster-reports.js'
import { CoterieError } from '../shared/errors.js'
import { checkNames, checkWhole } from '../shared/options.js'
import { awaitedOf, checkSomebodyLives, isSettled, nodesOwe } from './status.js'

/** How often it is looked at: shared counters, nobody is woken. */
const LOOK_MS = 10
const TIMEOUT_MS_MAX = 2_147_483_647

interface Settling {
  readonly supervisor: SupervisorActor
  readonly isClosing: () => boolean
  /** Writes of all gateways that still see to their last owners. */
  readonly lingering: () => number
  readonly status: () => ClusterStatus
}

/** Errors: INVALID_OPTION, CLOSED, NODE_NOT_RUNNING where nobody lives, TIMEOUT with what was awaited. */
export async function whenSettled(options: { timeoutMs?: number }, cluster: Settling): Promise<void> {
  checkNames(options, ['timeoutMs'])
  const { timeoutMs } = options
  const limitMs =
    timeoutMs === undefined ? Number.POSITIVE_INFINITY : checkWhole('timeoutMs', timeoutMs, 1, TIMEOUT_MS_MAX)
  const endMs = nowMs() + limitMs
  // A disk that was full and has room by now: what its node missed is owed to it.
  await cluster.supervisor.senseRoom()
  // Twice in a row: a message on its way from one counter to the next is in neither.
  for (let inARow = 0; inARow < 2; ) {
    if (cluster.isClosing()) throw new CoterieError('CLOSED')
    checkSomebodyLives(cluster.supervisor)
    const lingering = cluster.lingering()
    inARow = lingering === 0 && isSettled(cluster.supervisor) ? inARow + 1 : 0
    if (nowMs() > endMs)
      throw new CoterieError('TIMEOUT', `not settled after ${timeoutMs} ms`, {
        awaited: {
          ...awaitedOf(cluster.supervisor),
          lingering: lingering + nodesOwe(cluster.supervisor, ['lingering']),
        },
        status: cluster.status(),
      })
    if (inARow < 2) await delay(LOOK_MS)
  }
}
