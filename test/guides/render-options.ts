/** The table of numeric options, made of `NUMBER_OPTIONS`, as it stands in the README and in the reference. Called by their tests. */

import { NUMBER_OPTIONS } from '../../src/shared/number-options.js'
import { tableLines } from './markdown.js'

const HEAD = ['option', 'unit', 'default', 'range', 'meaning', 'what it costs']

export function renderNumberOptions(): string[] {
  const rows = Object.entries(NUMBER_OPTIONS).map(([name, { unit, byDefault, min, max, about, cost }]) => [
    `\`${name}\``,
    unit,
    shown(byDefault),
    `${shown(min)} … ${shown(max)}`,
    about,
    cost,
  ])
  return tableLines([HEAD, ...rows])
}

function shown(value: number): string {
  return value === Number.MAX_SAFE_INTEGER ? '2^53 − 1' : value.toLocaleString('en')
}
