/** Waits until a cluster that was started serves; or says why it does not. */

import { setTimeout as delay } from 'node:timers/promises'
import { nowMs } from '../../actors/runtime/clock.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import type { CoterieError } from '../shared/errors.js'
import { hasShortage } from './open-failed.js'
import type { Prepared } from './prepare.js'
import { isOpenEnough } from './status.js'

/** How often it is looked at: shared counters, nobody is woken. */
const LOOK_MS = 5
/** Where no more files can be opened, nodes start one at a time: not for longer, if partitions have no quorum. */
const SHORTAGE_MS = 6_000

interface Opening {
  readonly supervisor: SupervisorActor
  readonly prepared: Prepared
  /** When `openCluster` was called. */
  readonly openedAtMs: number
  /** What ends every cluster, if it has happened. */
  readonly fatal: () => Error | undefined
  readonly openFailed: (why: string, cause?: Error) => CoterieError
}

/** Errors: OPEN_FAILED. */
export async function untilOpen({ supervisor, prepared, openedAtMs, fatal, openFailed }: Opening): Promise<void> {
  const { openTimeoutMs } = prepared.config
  const startedAtMs = nowMs()
  while (!isOpenEnough(supervisor, prepared.quorums, nowMs() - startedAtMs)) {
    const error = fatal()
    if (error !== undefined) throw openFailed('the cluster folder cannot be written', error)
    if (supervisor.nodes().every((node) => node.phase === 'down')) throw openFailed('no node could be started')
    if (nowMs() - startedAtMs > SHORTAGE_MS && hasShortage(supervisor))
      throw openFailed('there are too few file descriptors for all nodes')
    if (nowMs() - openedAtMs > openTimeoutMs) throw openFailed(`not open after ${openTimeoutMs} ms`)
    await delay(LOOK_MS)
  }
}
