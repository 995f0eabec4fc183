/** Colours, where the stream is a terminal that has them and the user did not decline (NO_COLOR, FORCE_COLOR). */

import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'blue' | 'magenta'

export type Styler = (style: Style | readonly Style[], text: string) => string

const plain: Styler = (_style, text) => text

export function stylerFor(stream: NodeJS.WriteStream): Styler {
  // A terminal's own answer takes both variables into account; elsewhere only being forced counts.
  const coloured = stream.isTTY ? stream.hasColors() : !/^(0|false)$/.test(process.env['FORCE_COLOR'] ?? '0')
  if (!coloured) return plain
  // The stream has been asked above; Node would ask stdout, whichever stream is meant.
  return (style, text) => styleText(typeof style === 'string' ? style : [...style], text, { validateStream: false })
}
