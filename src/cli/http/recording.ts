/**
 * The last ten minutes, as the lines that viewers were told, bounded in time and bytes. What is let go of takes along what it no
 * longer explains: of the partitions and the views the last ones before the oldest line stay, because they still hold.
 */

import type { Entry } from '../../dashboard/frames.js'

export const RECORDING_MS = 600_000
/** 64 nodes take some 7 MiB. */
const BYTES_MAX = 16_777_216

interface Line {
  readonly kind: Entry['kind']
  readonly at: number
  readonly text: string
}

const LET_GO: Line = { kind: 'frame', at: 0, text: '' }

export class Recording {
  readonly #bytesMax: number
  readonly #lines: Line[] = []
  /** Lines before this place have been let go of, and are empty; they are taken out now and then, many at once. */
  #from = 0
  #bytes = 0
  #number = 0
  readonly #base = new Map<Entry['kind'], Line>()
  readonly #latest = new Map<Entry['kind'], Line>()

  constructor(bytesMax = BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** Gives back the line, without its end, and with its number. */
  add(entry: Entry): string {
    this.#number += 1
    const line = { kind: entry.kind, at: entry.at, text: JSON.stringify({ number: this.#number, ...entry }) }
    this.#lines.push(line)
    this.#latest.set(line.kind, line)
    this.#bytes += line.text.length
    this.#letGo(entry.at - RECORDING_MS)
    return line.text
  }

  get bytes(): number {
    return this.#bytes
  }

  /** All of it, in order. */
  lines(): string[] {
    return [...this.#base.values(), ...this.#lines.slice(this.#from)].map(({ text }) => text)
  }

  /** What a viewer needs who has seen nothing: the last of each kind. */
  latest(): string[] {
    return (['ring', 'views', 'frame'] as const).flatMap((kind) => this.#latest.get(kind)?.text ?? [])
  }

  #letGo(before: number): void {
    for (;;) {
      const line = this.#lines[this.#from]
      if (line === undefined || (line.at >= before && this.#bytes <= this.#bytesMax)) break
      this.#lines[this.#from] = LET_GO
      this.#from += 1
      this.#bytes -= line.text.length
      if (line.kind === 'ring' || line.kind === 'views') this.#base.set(line.kind, line)
    }
    if (this.#from < 1_024) return
    this.#lines.splice(0, this.#from)
    this.#from = 0
  }
}
