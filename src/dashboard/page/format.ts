/** Figures as people read them. */

const WHOLE = new Intl.NumberFormat('en')
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export function count(value: number): string {
  return value < 100_000 ? WHOLE.format(value) : SHORT.format(value)
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return '–'
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`
  if (value < 1_048_576) return `${(value / 1_024).toFixed(0)} KiB`
  return `${(value / 1_048_576).toFixed(value < 10_485_760 ? 1 : 0)} MiB`
}

export function clock(at: number): string {
  return CLOCK.format(at)
}

export function clockWithMs(at: number): string {
  return `${CLOCK.format(at)}.${String(Math.floor(at) % 1_000).padStart(3, '0')}`
}

export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  return seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ${seconds % 60} s ago`
}

export function plural(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`
}

/** `node12` in few places: `12`. */
export function shortId(id: string): string {
  return id.replace(/^node/, '')
}
