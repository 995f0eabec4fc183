/** The colours of nodes and statuses, for what is drawn on a canvas; those of the rest are the style sheet's. */

import type { Status } from '../frames.js'
import type { Theme } from './theme.js'

/** So many neighbours in number are far apart in hue. */
const GOLDEN_ANGLE = 137.508
/** For few nodes: as far apart as they can be. */
const FIRST_HUES = [258, 182, 340, 95, 300, 48, 218, 145]

export function nodeColour(index: number, theme: Theme): string {
  const hue = FIRST_HUES[index] ?? (258 + index * GOLDEN_ANGLE) % 360
  // Every other one is a little lighter, for those whose hues are close.
  const shade = (index % 2) * 0.07
  return theme === 'dark' ? `oklch(${0.68 + shade} 0.13 ${hue})` : `oklch(${0.58 + shade} 0.14 ${hue})`
}

const STATUS_VARIABLE: Readonly<Record<Status, string>> = {
  up: '--up',
  joining: '--joining',
  suspect: '--suspect',
  leaving: '--leaving',
  down: '--down',
  removed: '--faint',
}

export interface Palette {
  readonly theme: Theme
  readonly ink: string
  readonly soft: string
  readonly faint: string
  readonly line: string
  readonly card: string
  readonly accent: string
  readonly status: Readonly<Record<Status, string>>
}

/** As the style sheet has them now. */
export function paletteOf(theme: Theme): Palette {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const status = Object.fromEntries(Object.entries(STATUS_VARIABLE).map(([name, variable]) => [name, colour(variable)]))
  return {
    theme,
    ink: colour('--ink'),
    soft: colour('--soft'),
    faint: colour('--faint'),
    line: colour('--line'),
    card: colour('--card'),
    accent: colour('--accent'),
    status: status as Record<Status, string>,
  }
}

/** Not by colour alone. */
export const STATUS_GLYPH: Readonly<Record<Status, string>> = {
  up: '●',
  joining: '◐',
  suspect: '▲',
  leaving: '◇',
  down: '✕',
  removed: '·',
}
