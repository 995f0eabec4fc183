/** A process that opens a cluster, calls it, migrates it, and kills itself at a moment that it was told. */

import { openCluster } from '../../src/index.js'
import { call } from './callers.js'

/** The first argument, as JSON. */
export interface MigratingTask {
  readonly location: string
  readonly to: string | undefined
  /** Number to begin with. */
  readonly from: number
  /** Killed once the stage has begun, or is so far. */
  readonly dieAt: { readonly stage: string; readonly share?: number }
}

export type FromMigrating =
  | { readonly type: 'done'; readonly caller: string; readonly number: number }
  | { readonly type: 'failed'; readonly outcome: string }
  | { readonly type: 'stage'; readonly stage: string }

const { location, to, from, dieAt } = JSON.parse(process.argv[2] ?? '{}') as MigratingTask
const say = (message: FromMigrating): void => void process.send?.(message)
process.once('disconnect', () => process.exit(1))
const cluster = await openCluster({ location })
const found = cluster.status().migration
say({ type: 'stage', stage: `opened in ${found?.stage ?? 'none'}` })
cluster.on('migration', ({ stage }) => {
  say({ type: 'stage', stage })
  if (stage === dieAt.stage && dieAt.share === undefined) process.kill(process.pid, 'SIGKILL')
})
for (let caller = 0; caller < 6; caller++)
  void call(cluster, {
    caller: `child ${caller}`,
    from,
    isOver: () => false,
    onDone: (who, number) => say({ type: 'done', caller: who, number }),
    onFailed: (outcome) => say({ type: 'failed', outcome }),
  })
// Slow enough to be in the middle of it.
await cluster.migrate({
  ...(to === undefined ? {} : { to }),
  recordsPerSecond: 5_000,
  onProgress: ({ stage, share }) => {
    if (stage === dieAt.stage && dieAt.share !== undefined && share >= dieAt.share) process.kill(process.pid, 'SIGKILL')
  },
})
// It should not have lived to see this.
process.exit(3)
