/** How far a backup, a restore or a verification is, on standard error: a bar on a terminal, a line every two seconds elsewhere. */

import { Presets, SingleBar } from 'cli-progress'
import type { BulkProgress } from '../../shared/backup-shapes.js'
import { byteSize, count } from '../terminal/format.js'
import { stylerFor } from '../terminal/style.js'

const LINE_MS = 2_000
const SHARES = 1_000

export class BulkDisplay {
  readonly #bar: SingleBar | undefined
  #shownMs = performance.now()

  constructor() {
    if (process.stderr.isTTY !== true) return
    const bar = stylerFor(process.stderr)('cyan', '{bar}')
    const format = `${bar} {percentage}%  {phase}  {records} records  {size}`
    this.#bar = new SingleBar({ format, hideCursor: true, barsize: 30, noTTYOutput: false }, Presets.shades_classic)
    this.#bar.start(SHARES, 0, { phase: '', records: '0', size: '0 B' })
  }

  readonly show = ({ phase, records, bytes, share }: BulkProgress): void => {
    const texts = { phase, records: count(records), size: byteSize(bytes) }
    if (this.#bar !== undefined) return this.#bar.update(Math.floor(share * SHARES), texts)
    if (performance.now() - this.#shownMs < LINE_MS) return
    this.#shownMs = performance.now()
    process.stderr.write(`${Math.floor(share * 100)}%  ${phase}  ${texts.records} records  ${texts.size}\n`)
  }

  close(): void {
    this.#bar?.stop()
  }
}
