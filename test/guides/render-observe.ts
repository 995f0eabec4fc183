/** The tables of metrics and of levels, made of the code, as they stand in the README. Called by its test. */

import { levelOf } from '../../src/observe/event-levels.js'
import { METRICS } from '../../src/observe/metric-table.js'
import { EVENT_NAMES } from '../../src/shared/cluster-events.js'
import { tableLines } from './markdown.js'

export function renderMetrics(): string[] {
  const rows = METRICS.map(({ name, type, labels, unit, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    unit,
    help,
  ])
  return tableLines([['metric', 'type', 'labels', 'unit', 'meaning'], ...rows])
}

/** Of events whose level depends on what they tell: as it is when nothing is wrong. */
const SOUND = { code: 0, problems: [] } as never

export function renderLevels(): string[] {
  const rows = (['debug', 'info', 'warn', 'error', 'fatal'] as const).map((level) => {
    const events = EVENT_NAMES.filter((event) => levelOf(event, SOUND) === level).map((event) => `\`${event}\``)
    const more = level === 'warn' ? ['`node:exit` with another code than 0', '`scrub` with problems or an error'] : []
    return [`\`${level}\``, [...events, ...more].join(', ')]
  })
  return tableLines([['level', 'events'], ...rows])
}
