/** Looks at how far a pool task is, in shared memory, and tells it. Called for restores and verifications. */

import type { BulkProgress } from '../shared/backup-shapes.js'

const LOOK_MS = 100
/** Bytes and records, as numbers of eight bytes. */
const CELLS_BYTES = 16

export function watchBulk(
  phase: string,
  bytesTotal: number,
  onProgress: (progress: BulkProgress) => void,
): { readonly cells: SharedArrayBuffer; end(): void } {
  const cells = new SharedArrayBuffer(CELLS_BYTES)
  const numbers = new Float64Array(cells)
  const tell = () => {
    const [bytes = 0, records = 0] = numbers
    onProgress({ phase, records, bytes, share: bytesTotal === 0 ? 1 : Math.min(1, bytes / bytesTotal) })
  }
  const timer = setInterval(tell, LOOK_MS)
  return {
    cells,
    end: () => {
      clearInterval(timer)
      tell()
    },
  }
}
