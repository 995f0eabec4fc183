/** What the page is told and draws where there are many nodes, or each has every partition: without a browser. */

import { test } from 'tap'
import { Recorder } from '../../src/cli/http/recorder.js'
import { type Entry, unpackNode } from '../../src/dashboard/frames.js'
import { pointedAt, ringShape } from '../../src/dashboard/page/ring-geometry.js'
import { nodeStatus, WatchedCluster } from '../observe/watched-cluster.js'

const SIZE = 540
const NODES = 64
const PARTITIONS = 1_024

test('ring: every place of a row has a band, also with n: all of 64 nodes', (t) => {
  for (const places of [1, 3, 5, 12, NODES]) {
    const { bands, nodesRadius, nodeSize } = ringShape(SIZE, places, NODES)
    t.equal(bands.length, places)
    const radii = bands.flat()
    t.same(
      radii,
      [...radii].sort((a, b) => b - a),
      'from the outside in, none over another',
    )
    t.equal(new Set(radii).size, radii.length, 'none is empty')
    t.ok((radii.at(-1) ?? 0) > nodesRadius + nodeSize, 'the nodes are inside')
    t.ok(nodesRadius > nodeSize * 4, 'and there is room for the words')
  }
  t.ok(ringShape(160, NODES, NODES).nodesRadius > 0, 'in the smallest picture, too')
  const shape = ringShape(SIZE, NODES, NODES)
  const [, innermost = 0] = shape.bands.at(-1) ?? []
  const at = [shape.centre, shape.centre - innermost - 1] as const
  t.match(pointedAt(shape, at, { partitions: PARTITIONS, nodes: NODES }), { kind: 'partition' })
  t.end()
})

test('recorder: nodes in the order that people count in, views when they are others, suspicions by few of many', async (t) => {
  const watched = new WatchedCluster()
  watched.nodes = ['node1', 'node10', 'node2'].map((id) => nodeStatus(id))
  watched.owners = [{ owners: ['node10', 'node2', null] }]
  watched.facts = { converged: false }
  let status = 'up'
  const views = () => [{ node: 'node10', members: [{ id: 'node2', status, incarnation: 4 }] }]
  const entries: Entry[] = []
  let onFrame = () => undefined as unknown
  const recorder = new Recorder(Object.assign(watched.cluster, { views }) as never, (line) => {
    const entry = JSON.parse(line) as Entry
    entries.push(entry)
    if (entry.kind === 'frame') onFrame()
  })
  t.teardown(async () => recorder.close())
  const look = async () => {
    const looked = new Promise<void>((resolve) => {
      onFrame = () => resolve()
    })
    watched.emit('converged', { epoch: 3 })
    await looked
  }
  const of = <Kind extends Entry['kind']>(kind: Kind) =>
    entries.filter((entry): entry is Extract<Entry, { kind: Kind }> => entry.kind === kind)

  t.same(
    of('frame')[0]?.nodes.map((node) => unpackNode(node).id),
    ['node1', 'node2', 'node10'],
  )
  t.match(of('ring')[0], { nodes: ['node1', 'node2', 'node10'], rows: [[[2, 1, -1], [], 0]] })
  t.match(of('views')[0], { members: ['node1', 'node2', 'node10'], views: [['node10', '-u-', [0, 4, 0]]] })
  await look()
  t.equal(of('views').length, 1, 'not told again while they are the same')
  status = 'suspect'
  await look()
  t.match(of('views')[1], { views: [['node10', '-s-', [0, 4, 0]]] })

  for (let by = 1; by <= NODES; by++)
    for (const node of ['node1', 'node2']) watched.emit('node:suspect', { node, by: `node${by}`, reason: 'silent' })
  recorder.close()
  const told = of('event').filter(({ event, text }) => event === 'node:suspect' && text.startsWith('node2 '))
  t.equal(told.length, 5)
  t.match(told[0], { text: 'node2 is suspected by node1: silent' })
  t.match(told.at(-1), { text: 'node2 is suspected by 60 more', tone: 'warning' })
})
