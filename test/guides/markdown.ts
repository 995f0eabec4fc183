/** Pieces of Markdown: tables as this project writes them, anchors as GitHub makes them. Called by what renders pages. */

/** The first row is the head. Cells are as wide as the widest of their column. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => widthOf(row[column]))))
  const lineOf = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)))).join(' | ')} |`
  const rule = widths.map((width) => '-'.repeat(width))
  return rows.flatMap((row, index) => (index === 0 ? [lineOf(row), lineOf(rule)] : [lineOf(row)]))
}

/** Of the headings of a page, in their order: of equal ones the second ends in -1. */
export function uniqueAnchors(headings: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return headings.map((heading) => {
    const anchor = anchorOf(heading)
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    return before === 0 ? anchor : `${anchor}-${before}`
  })
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
}

/** Code in a cell of a table. */
export function codeCell(code: string): string {
  return `\`${code.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}\``
}

/** Whatever the widths of the columns are. */
export function unaligned(text: string): string {
  return text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---')
}

function widthOf(cell = ''): number {
  return [...cell].length
}
