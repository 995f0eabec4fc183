/** From two roots to the leaves that differ: what is asked about, and what is left of it. */

import { test } from 'tap'
import { TreeWalk } from '../../../src/protocol/repair/tree-walk.js'

const FAN = 4
const trusted = (): boolean => true

/** `isUnequal` of a node at this look, which counts from 1. Returns the nodes asked about in all. */
function walk(
  it: TreeWalk,
  isUnequal: (node: { level: number; partition: number; node: number; look: number }) => boolean,
  blindOf: (look: number) => readonly number[] = () => [],
): number {
  const looks = new Map<string, number>()
  let asked = 0
  for (let steps = 0; !it.isDone && steps < 2_000; steps++) {
    const question = it.next(trusted)
    if (question === undefined) continue
    const { level, partitions, nodes } = question
    asked += nodes.length
    const blind = blindOf(steps)
    const places = nodes.flatMap((node, place) => {
      const partition = partitions[place] ?? 0
      const look = (looks.get(`${level} ${partition} ${node}`) ?? 0) + 1
      looks.set(`${level} ${partition} ${node}`, look)
      return !blind.includes(partition) && isUnequal({ level, partition, node, look }) ? [place] : []
    })
    it.onAnswer(places, blind)
  }
  return asked
}

/** One leaf of partition 2 differs. */
const leafOf2 = (leaf: number) => (at: { level: number; partition: number; node: number }) =>
  at.partition === 2 && at.node === [0, Math.floor(leaf / FAN), leaf][at.level]

test('equal replicas part after one question about their roots', async (t) => {
  const it = new TreeWalk([1, 2, 3], FAN)
  t.equal(
    walk(it, () => false),
    3,
  )
  t.same(it.result(), { wholes: [], leaves: [] })
})

test('one leaf that differs is found by asking about few nodes', async (t) => {
  const it = new TreeWalk([1, 2, 3], FAN)
  const asked = walk(it, leafOf2(9))
  t.same(it.result(), { wholes: [], leaves: [2 * FAN * FAN + 9] })
  t.equal(asked, 3 + FAN + 1 + FAN + 1 + 1, 'what is not equal is looked at again')
})

test('a leaf that was equal at one look lacks nothing: writes are under way all the time', async (t) => {
  for (const equalAt of [2, 3]) {
    const it = new TreeWalk([2], FAN)
    walk(it, (at) => leafOf2(5)(at) && !(at.level === 2 && at.look === equalAt))
    t.same(it.result(), { wholes: [], leaves: [] })
  }
})

test('where more than half of a tree differs, the partition is compared as a whole', async (t) => {
  const it = new TreeWalk([1, 2], FAN)
  walk(it, ({ level, partition, node }) => partition === 1 || leafOf2(3)({ level, partition, node }))
  t.same(it.result(), { wholes: [1], leaves: [2 * FAN * FAN + 3] })
})

test('a peer whose trees are being built anew is waited for; one that stays so is compared as a whole', async (t) => {
  const back = new TreeWalk([1, 2], FAN)
  walk(back, leafOf2(3), (look) => (look < 10 ? [2] : []))
  t.same(back.result(), { wholes: [], leaves: [2 * FAN * FAN + 3] })
  const never = new TreeWalk([1, 2], FAN)
  walk(never, leafOf2(3), () => [2])
  t.same(never.result(), { wholes: [2], leaves: [] })
})

test('a question that was not answered is asked again', async (t) => {
  const it = new TreeWalk([1, 2], FAN)
  const first = it.next(trusted)
  it.repeat()
  t.same(it.next(trusted), first)
})
