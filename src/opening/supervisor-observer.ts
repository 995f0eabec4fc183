/** What the supervisor tells, as events of the cluster. Called by `OpenCluster`. */

import type { SupervisorObserver } from '../../actors/runtime/supervisor-contract.js'
import type { FillsUnderWay } from './fills-under-way.js'
import { type Emit, emitNodeNotice } from './node-notices.js'

export function supervisorObserver(options: {
  readonly emit: Emit
  readonly fills: FillsUnderWay
  readonly onFatal: (error: Error) => void
}): SupervisorObserver {
  const { emit, fills, onFatal } = options
  return {
    onNotice: (notice) => {
      if (notice.type === 'created' || notice.type === 'node:up') return
      const { type, ...facts } = notice
      emit(type, facts as never)
    },
    onNodeNotice: (node, notice) => {
      fills.onNotice(node, notice)
      emitNodeNotice(node, notice, emit)
    },
    onExit: ({ node, incarnation, end }) => {
      fills.onExit(node)
      const { code, reason, error, failpoint: point } = end
      if (point !== undefined) emit('failpoint', { node, incarnation, point })
      emit('node:exit', { node, incarnation, code, reason, ...(error === undefined ? {} : { error }) })
    },
    onReady: (ready) => emit('node:up', ready),
    onQuarantine: (quarantine) => emit('node:quarantine', quarantine),
    onRestart: (error) => emit('supervisor:restart', { error }),
    onFolderFull: (error) => emit('folder:full', { error }),
    onFatal,
  }
}
