/**
 * What befalls the simulated cluster of a scenario. A fault takes no time: what it causes is seen in the commands after it.
 *
 * Called by `commands.ts`.
 */

import type { Address, Key, NodeId } from '../../src/protocol/ids.js'
import { partitionOf } from '../../src/protocol/ring/slot.js'
import type { SimWorld } from '../../src/sim/world.js'
import type { Transcript } from './transcript.js'

/** Restarting the whole process. */
const PROCESS_DOWN_MS = 50

/** False: that is no fault. Errors: RangeError for somebody who is not there. */
export function applyFault(world: SimWorld, transcript: Transcript, verb: string, words: readonly string[]): boolean {
  return onNode(world, verb, words) || onProcess(world, transcript, verb, words) || onNetwork(world, verb, words)
}

function onNode(world: SimWorld, verb: string, [id = '', other = '']: readonly string[]): boolean {
  switch (verb) {
    case 'crash':
      world.endNode(world.node(id), 'a crash', true)
      return true
    case 'hang':
      world.node(id).freeze(Number(other))
      return true
    case 'give-up':
      world.supervisor.giveUp(id)
      world.endNode(world.node(id), 'it will not come back', true)
      return true
    case 'wipe':
      world.endNode(world.node(id), 'its store is wiped', true)
      world.node(id).disk.wipe()
      return true
    case 'damage':
      damage(world, id, other)
      return true
    case 'damage-files':
      world.endNode(world.node(id), 'its files are damaged', true)
      world.node(id).disk.isDamaged = true
      return true
    case 'fill-disk':
      world.node(id).disk.isFull = true
      return true
    case 'slow-disk':
      world.node(id).disk.slowMs = Number(other)
      return true
    default:
      return false
  }
}

function onProcess(world: SimWorld, transcript: Transcript, verb: string, words: readonly string[]): boolean {
  const [id = '', other = ''] = words
  switch (verb) {
    case 'lose-gateway':
      world.loseGateway(id)
      return true
    case 'skew-clock':
      // A place in one second around the right time.
      world.gateways.get(id)?.jumpClock(0.5 + Number(other) / 1_000)
      return true
    case 'kill-process':
      transcript.note('life', 'process', 'is killed')
      world.killProcess(PROCESS_DOWN_MS)
      return true
    case 'accept-loss': {
      const partitions = [partitionOf(id, world.options.config.partitions)]
      world.supervisor.step({ type: 'operator/accept-loss', partitions })
      return true
    }
    case 'break-supervisor':
      transcript.note('life', 'supervisor', 'breaks, and is rebuilt')
      world.supervisor.rebuild()
      return true
    default:
      return false
  }
}

function onNetwork(world: SimWorld, verb: string, words: readonly string[]): boolean {
  const { network, nodes } = world
  const [from = '', to = ''] = words
  switch (verb) {
    case 'cut':
      for (const [a, b] of linksOf(world, words)) {
        network.cut(a, b)
        network.cut(b, a)
      }
      return true
    case 'cut-one-way':
      network.cut(from, to)
      return true
    case 'heal':
      network.heal(world.nowMs)
      for (const { disk } of nodes.values()) {
        disk.isFull = false
        disk.slowMs = 0
      }
      return true
    default:
      return false
  }
}

/** `cut a b | c d`: every link from one side to the other; with one side only, the rest are the other. */
function linksOf(world: SimWorld, words: readonly string[]): (readonly [Address, Address])[] {
  const all: readonly Address[] = [...world.nodes.keys(), ...world.gateways.keys()]
  const bar = words.indexOf('|')
  const side = bar < 0 ? words : words.slice(0, bar)
  const rest = bar < 0 ? all.filter((address) => !side.includes(address)) : words.slice(bar + 1)
  for (const word of [...side, ...rest]) if (!all.includes(word)) throw new RangeError(`there is no ${word}`)
  return side.flatMap((a) => rest.map((b) => [a, b] as const))
}

/** A bit of one record flips. */
function damage(world: SimWorld, id: NodeId, key: Key): void {
  const { records } = world.node(id).disk.content
  const bytes = Uint8Array.from(records.get(key) ?? [])
  if (bytes.length === 0) throw new RangeError(`${id} has no ${key}`)
  const last = bytes.length - 1
  bytes[last] = (bytes[last] ?? 0) ^ 1
  records.set(key, bytes)
}
