/** `coterie completion SHELL`: a script made of the tables in `flags.ts`; the scripts ask `coterie completion nodes` for ids. */

import type { CompletionCommand } from '../commands.js'
import { ControlClient } from '../control/control-client.js'
import { bashScript } from './bash.js'
import { fishScript } from './fish.js'
import { zshScript } from './zsh.js'

export async function completionCommand({ shell, location }: CompletionCommand): Promise<number> {
  const text =
    shell === 'nodes' ? await nodeIds(location) : { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]()
  process.stdout.write(text)
  return 0
}

/** Of a cluster that runs; nothing is opened for a TAB. */
async function nodeIds(location: string): Promise<string> {
  const cluster = await ControlClient.connect(location)
  if (cluster === undefined) return ''
  try {
    const { nodes } = await cluster.status()
    return nodes.map(({ id }) => `${id}\n`).join('')
  } finally {
    await cluster.close()
  }
}
