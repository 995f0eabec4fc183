/** Figures, durations, tables and stored bytes as text for people. */

const grouped = new Intl.NumberFormat('en-US')

/** 83039 → `83,039` */
export function count(value: number): string {
  return grouped.format(Math.round(value))
}

/** `3 keys`, `1 key` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** 0.42 → `0.42 ms`, 12.3 → `12.3 ms`, 1234 → `1.23 s` */
export function duration(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`
}

/** Decimal units: 1234567 → `1.2 MB` */
export function byteSize(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`
  }
  return `${bytes} B`
}

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
  /** Cells at least, where a table that is redrawn must not jump. */
  readonly width?: number
}

/** Header and rows, padded so that the columns line up. Styles are the caller's, per line, after padding. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title, width = 0 }, at) =>
    Math.max(width, title.length, ...rows.map((row) => displayWidth(row[at] ?? ''))),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, at) => pad(cells[at] ?? '', widths[at] ?? 0, align))
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'left' ? text + space : space + text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u

/** Cells of a terminal that the text takes: 2 for East Asian and emoji, 0 for combining marks. */
export function displayWidth(text: string): number {
  let width = 0
  for (const char of text) width += /\p{Mn}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1
  return width
}

/** At most `width` cells, the last an ellipsis if something is missing. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let cut = ''
  for (const char of text) {
    if (displayWidth(cut + char) >= width) break
    cut += char
  }
  return `${cut}…`
}

/**
 * Stored bytes on one line: text as it is, with control characters escaped (a value must not be able to steer the
 * terminal), anything that is not UTF-8 as hexadecimal.
 */
export function bytesText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.replace(CONTROL, escapeControl)
  } catch (error) {
    if (error instanceof TypeError) return `0x${Buffer.from(bytes).toString('hex')}`
    throw error
  }
}

function escapeControl(char: string): string {
  if (char === '\n') return '\\n'
  if (char === '\t') return '\\t'
  if (char === '\r') return '\\r'
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}
