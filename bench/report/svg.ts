/** What every plot shares: colours that can be seen on white and on black, escaped words, short numbers. */

export const INK = 'class="ink" fill="#1f2328"'
export const GRID = 'class="grid" stroke="#d0d7de" stroke-width="1"'
export const PAPER = 'class="paper" fill="#ffffff"'
/** Where the reader's system is dark, the paper and the ink change places. */
export const STYLE =
  '@media (prefers-color-scheme: dark) { .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .line { stroke: #e6edf3 } .grid { stroke: #30363d } }'

export function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}
