/** Why a cluster did not open, for whoever called `openCluster`. Called by `OpenCluster`. */

import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import { CoterieError } from '../shared/errors.js'
import { isShortage, openFilesLimit } from '../shared/shortage.js'

/** With what each node's last life ended of; the first of these errors is the cause, unless there is a better one. */
export function openFailed(supervisor: SupervisorActor, location: string, why: string, cause?: Error): CoterieError {
  const nodes = supervisor.nodes().map(({ id, phase }) => {
    const end = supervisor.factsOf(id)?.lastEnd?.end
    return { id, phase, ...(end === undefined ? {} : { reason: end.reason }) }
  })
  const errors = supervisor.nodes().map(({ id }) => supervisor.factsOf(id)?.lastEnd?.end.error)
  const reason = cause ?? errors.find((error) => error !== undefined)
  const limit = isShortage(reason) ? openFilesLimit() : ''
  const message = `${why}${reason === undefined ? '' : `: ${reason.message}`}${limit}`
  return new CoterieError('OPEN_FAILED', message, { location, nodes }, { cause: reason })
}

/** A node waits for its next life because no file could be opened for the last. */
export function hasShortage(supervisor: SupervisorActor): boolean {
  return supervisor
    .nodes()
    .some(({ id, phase }) => phase === 'waiting' && isShortage(supervisor.factsOf(id)?.lastEnd?.end.error))
}
