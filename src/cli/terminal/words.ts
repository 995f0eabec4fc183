/** A line that was typed, as words: blanks separate, quotes keep blanks, a backslash keeps the next character. */

export interface Words {
  readonly words: readonly string[]
  /** The line ends inside of quotes. */
  readonly unclosed: boolean
}

export function splitWords(line: string): Words {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at)
    if (char === '\\' && quote !== "'" && at + 1 < line.length) word = (word ?? '') + line.charAt(++at)
    else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (word !== undefined) words.push(word)
  return { words, unclosed: quote !== '' }
}
