/**
 * A scenario file as blocks: commands, a line of `----`, and what they show, up to an empty line. Everything between blocks is
 * for the reader, and stays as it is when the file is rewritten.
 *
 * Called by `language.ts`. Knows nothing of what commands mean.
 */

export interface Block {
  /** Comments, empty lines and commands, as they stand in the file. */
  readonly head: readonly string[]
  readonly expected: readonly string[]
  /** Of its first line, from 1. */
  readonly line: number
}

export interface ScenarioFile {
  readonly blocks: readonly Block[]
  /** After the last block. */
  readonly tail: readonly string[]
}

const RULE = '----'

/** Errors: RangeError: a command after the last `----`, which nobody would run. */
export function parseScenario(text: string): ScenarioFile {
  const lines = text.replace(/\n$/, '').split('\n')
  const blocks: Block[] = []
  let head: string[] = []
  let begin = 0
  for (let place = 0; place < lines.length; place++) {
    const line = lines[place] as string
    if (line !== RULE) {
      head.push(line)
      continue
    }
    const emptyLine = lines.indexOf('', place)
    const end = emptyLine < 0 ? lines.length : emptyLine
    blocks.push({ head, expected: lines.slice(place + 1, end), line: begin + 1 })
    head = []
    begin = end
    place = end - 1
  }
  const [stray] = commandsOf(head)
  if (stray !== undefined) throw new RangeError(`"${stray}" stands after the last ${RULE}`)
  return { blocks, tail: head }
}

/** The commands among a block's lines. */
export function commandsOf(head: readonly string[]): readonly string[] {
  return head.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
}

/** The file with these outputs, one for each block. */
export function renderScenario({ blocks, tail }: ScenarioFile, outputs: readonly (readonly string[])[]): string {
  const lines = blocks.flatMap(({ head }, place) => [...head, RULE, ...(outputs[place] ?? [])])
  return `${[...lines, ...tail].join('\n').trimEnd()}\n`
}
