/** `cluster.faults` where the nodes are processes of somebody else: none of them is to be had. */

import { CoterieError } from '../../shared/errors.js'
import type { Faults } from '../../shared/fault-calls.js'

export function noFaults(): Faults {
  const refuse = async (): Promise<never> => {
    throw new CoterieError(
      'FAULTS_DISABLED',
      "the nodes of the engine 'redis-cluster' are processes of their own: end those",
    )
  }
  return {
    crash: refuse,
    hang: refuse,
    pause: refuse,
    wipe: refuse,
    corrupt: refuse,
    cut: refuse,
    cutOneWay: refuse,
    delay: refuse,
    drop: refuse,
    duplicate: refuse,
    reorder: refuse,
    slow: refuse,
    skewClock: refuse,
    fillDisk: refuse,
    failpoint: refuse,
    heal: refuse,
  }
}
