/** Wrong versions of epochs, fills and changes of owners. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const GET = 'src/protocol/coordinator/get.ts'
const NODE = 'src/protocol/dynamo-node.ts'
const KEEPER = 'src/protocol/table-keeper.ts'
const FILL = 'src/protocol/handoff/fill.ts'
const SUPERVISOR = 'src/protocol/supervision/supervisor-core.ts'
const CHANGES = 'src/protocol/supervision/owner-changes.ts'
const REASSIGNMENT = 'src/protocol/supervision/reassignment.ts'
const SIMULATED_SUPERVISOR = 'src/sim/sim-supervisor.ts'

export const OWNERS: readonly Mutant[] = [
  {
    name: 'stale-epoch-served',
    rule: 'row-epochs',
    checker: 'owners',
    file: KEEPER,
    find: "if (rowEpoch !== row.epoch) return rowEpoch > row.epoch ? 'behind' : 'stale'\n    const role",
    replace: "if (rowEpoch !== row.epoch) return 'serve'\n    const role",
  },
  {
    name: 'two-owners-after-a-flip',
    rule: 'joint-row-known',
    checker: 'owners',
    file: KEEPER,
    find: "return this.#isGuarded(partition) ? 'guarded' : 'serve'\n  }\n\n  /** May this node take a write?",
    replace: "return 'serve'\n  }\n\n  /** May this node take a write?",
  },
  {
    name: 'pending-serves-reads',
    rule: 'new-actor',
    checker: 'owners',
    file: KEEPER,
    find: "if (role !== ROLE.full) return role === ROLE.pending ? 'guarded' : 'stale'",
    replace: "if (role !== ROLE.full && role !== ROLE.pending) return 'stale'",
    also: {
      file: GET,
      find: 'const { owners } = this.row\n    let wanted',
      replace:
        'const owners = this.row.owners.map((owner, place) => owner ?? this.row.pending[place] ?? null)\n    let wanted',
    },
  },
  {
    name: 'acts-before-it-has-stored',
    rule: 'stored-before-acted',
    checker: 'epochs-grow',
    file: NODE,
    find: 'if (this.#keeper.offer(message.table)) this.#tables.store(message.table)',
    replace:
      "if (this.#keeper.offer(message.table)) { this.#post.send(SUPERVISOR, { type: 'table/stored', epoch: message.table.epoch }); this.#tables.store(message.table) }",
  },
  {
    name: 'fill-from-one-source',
    rule: 'new-actor',
    checker: 'fills',
    file: CHANGES,
    find: 'const needed = this.#sourcesNeeded(row) - own',
    replace: 'const needed = 1 - own',
  },
  {
    name: 'fill-before-the-joint-row-is-known',
    rule: 'joint-row-known',
    checker: 'fills',
    file: CHANGES,
    find: 'return this.#countStored(owners, epoch) >= knowersNeeded(this.#quorums, owners.length)',
    replace: 'return true',
  },
  {
    name: 'fill-ends-after-one-source',
    rule: 'new-actor',
    checker: 'fills',
    file: FILL,
    find: 'if (filling.missing.size > 0) continue\n',
    replace: '',
  },
  {
    name: 'amnesiac-counts',
    rule: 'new-actor',
    checker: 'owners',
    file: SUPERVISOR,
    find: 'if (!isForgetful) return\n    if (standbysOf',
    replace: 'if (isForgetful || !isForgetful) return\n    if (standbysOf',
  },
  {
    name: 'told-before-it-is-on-disk',
    rule: 'one-table',
    checker: 'one-table',
    file: SUPERVISOR,
    find: "if (this.#tables.change(table, reason, notices)) this.#post.effect({ type: 'persist', table })",
    replace:
      "if (this.#tables.change(table, reason, notices)) this.#post.effect({ type: 'persist', table }); this.#post.announce(table)",
  },
  {
    name: 'rows-of-the-dead-stay',
    rule: 'down-for-good',
    checker: 'placement',
    file: REASSIGNMENT,
    find: 'if (members.length > 0 && !areFullCopies) table',
    replace: 'if (members.length > 1_000 && !areFullCopies) table',
  },
  {
    name: 'flips-before-it-is-filled',
    rule: 'both-quorums',
    checker: 'row-epochs',
    file: CHANGES,
    find: "    for (const [node, list] of orders) this.#host.post.send(node, { type: 'transfer/start', orders: list })",
    replace:
      '    for (const [node, list] of orders) this.onFilled(node, list.map((order) => order.partition), list.map((order) => order.rowEpoch))',
  },
  {
    name: 'unbalanced-successors',
    rule: 'claim',
    checker: 'placement',
    file: REASSIGNMENT,
    find: 'const wanted = inOwnPlaces(plan.rows[partition] ?? [], row)',
    replace:
      'const wanted = inOwnPlaces((plan.rows[partition] ?? []).map((node, place) => (row.owners[place] !== null && dead.has(row.owners[place] as string) ? (members.find((member) => !row.owners.includes(member)) ?? node) : node)), row)',
  },
  {
    name: 'stale-write-taken',
    rule: 'row-epochs',
    checker: 'row-epochs',
    file: KEEPER,
    find: "if (rowEpoch !== row.epoch) return rowEpoch > row.epoch ? 'behind' : 'stale'\n    return this.judgeOwn",
    replace: "if (rowEpoch > row.epoch) return 'behind'\n    return this.judgeOwn",
  },
  {
    name: 'newer-row-served-before-it-is-stored',
    rule: 'row-epochs',
    checker: 'row-epochs',
    file: KEEPER,
    find: "if (rowEpoch !== row.epoch) return rowEpoch > row.epoch ? 'behind' : 'stale'\n    return this.judgeOwn",
    replace: "if (rowEpoch < row.epoch) return 'stale'\n    return this.judgeOwn",
  },
  {
    name: 'stale-fill-served',
    rule: 'row-epochs',
    checker: 'row-epochs',
    file: KEEPER,
    find: 'return row.epoch === rowEpoch && this.#roles[partition] === ROLE.full',
    replace: 'return rowEpoch > 0 && row.epoch > 0 && this.#roles[partition] === ROLE.full',
  },
  {
    name: 'an-older-epoch-wins',
    rule: 'one-table',
    checker: 'epochs-grow',
    file: KEEPER,
    find: 'if (table.epoch <= Math.max(this.#table.epoch, this.#adopting?.epoch ?? 0)) return false',
    replace: 'if (table.epoch === this.#table.epoch) return false',
  },
  {
    name: 'row-loses-its-vacant-place',
    rule: 'n-places',
    checker: 'invariants',
    file: REASSIGNMENT,
    find: 'const owners = row.owners.map((owner) => (owner === node ? null : owner))',
    replace: 'const owners = row.owners.filter((owner) => owner !== node)',
  },
  {
    name: 'moves-what-need-not-move',
    rule: 'claim',
    checker: 'placement',
    file: REASSIGNMENT,
    find: 'const plan = planReplacement({',
    replace: 'const plan = planClaim({ evenly: true,',
    also: {
      file: REASSIGNMENT,
      find: "import { type OwnerRows, planReplacement } from '../ring/claim.js'",
      replace: "import { type OwnerRows, planClaim } from '../ring/claim.js'",
    },
  },
  {
    name: 'comes-back-from-an-older-epoch',
    rule: 'highest-epoch',
    checker: 'one-table',
    file: SIMULATED_SUPERVISOR,
    find: '    this.#persisted = table\n    for',
    replace: '    if (table.epoch % 2 === 1) this.#persisted = table\n    for',
  },
]
