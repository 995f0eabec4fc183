/** What a backup is, for people: of the command, and of the prompt of `coterie start`. */

import type { BackupSummary } from '../../shared/backup-shapes.js'
import { byteSize, duration, plural } from '../terminal/format.js'

export function backupLines({ dir, nodes, leftOut, records, bytes, frozenMs, tookMs, at }: BackupSummary): string[] {
  const what = `${plural(records, 'record')} (${byteSize(bytes)}) of ${plural(nodes.length, 'node')} backed up into ${dir}`
  return [
    `${what} in ${duration(tookMs)}; the cut was at ${at}, writes stopped for ${duration(frozenMs)}`,
    ...leftOut.map(({ node, reason }) => `${node} was left out: ${reason}; the others hold everything`),
  ]
}
