/** A group of measurements: what `--only` chooses. */

import type { Figure } from '../figures.js'
import type { Context } from '../run/context.js'

export interface Group {
  readonly name: string
  /** A heading. */
  readonly title: string
  /** What was compared, for readers of the tables. */
  readonly about: string
  run(context: Context): Promise<Figure[]>
}
