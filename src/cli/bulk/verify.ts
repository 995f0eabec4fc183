/** `coterie verify DIR`: a line for each store or database, then what is wrong. Exit code 1 if anything is. */

import { verifyFolder } from '../../index.js'
import type { Verification } from '../../shared/backup-shapes.js'
import type { VerifyCommand } from '../commands.js'
import { byteSize, count, tableLines } from '../terminal/format.js'
import { type Styler, stylerFor } from '../terminal/style.js'
import { BulkDisplay } from './bulk-progress.js'

export async function verifyCommand({ dir, json }: VerifyCommand): Promise<number> {
  const display = new BulkDisplay()
  try {
    const found = await verifyFolder(dir, { onProgress: display.show })
    display.close()
    const lines = json ? [JSON.stringify(found)] : verificationLines(found, stylerFor(process.stdout))
    process.stdout.write(`${lines.join('\n')}\n`)
    return found.ok ? 0 : 1
  } finally {
    display.close()
  }
}

function verificationLines({ kind, dir, ok, parts, problems, notes }: Verification, style: Styler): string[] {
  const columns = [
    { title: 'node', align: 'left' },
    { title: 'files', align: 'right' },
    { title: 'records', align: 'right' },
    { title: 'hints', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'found', align: 'left' },
  ] as const
  const rows = parts.map((part) => [
    part.node,
    count(part.files),
    count(part.records),
    count(part.hints),
    byteSize(part.bytes),
    part.problems.length === 0 ? 'ok' : 'DAMAGED',
  ])
  const details = parts.flatMap(({ node, problems: own }) => own.map((problem) => `${node}: ${problem}`))
  const verdict = ok ? style('green', 'nothing is wrong') : style('red', 'it is damaged')
  return [
    ...(rows.length === 0 ? [] : tableLines(columns, rows)),
    ...[...details, ...problems].map((line) => style('red', line)),
    ...notes,
    `${kind} in ${dir}: ${verdict}`,
  ]
}
