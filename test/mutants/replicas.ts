/** Wrong versions of replicas, hints and repairs. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const REPLICA = 'src/protocol/replica.ts'
const MERGING = 'src/protocol/merging.ts'
const COORDINATION = 'src/protocol/coordinator/coordination.ts'
const HINTS = 'src/protocol/handoff/hint-keeper.ts'
const EXCHANGE = 'src/protocol/repair/exchange.ts'
const RECORD = 'src/protocol/versions/record.ts'
const DVV = 'src/protocol/versions/dvv.ts'
const STORE = 'src/storage/memory-store.ts'

export const REPLICAS: readonly Mutant[] = [
  {
    name: 'ack-before-store',
    rule: 'acknowledgement',
    checker: 'acknowledgements',
    file: REPLICA,
    find: 'if (fresh.keys.length > 0) this.#startWrite(fresh)',
    replace:
      'if (fresh.keys.length > 0) { this.#startWrite(fresh); this.#answer(waiting); (fresh.waiting as Waiting[]).length = 0 }',
  },
  {
    name: 'reads-show-unaccepted',
    rule: 'acknowledgement',
    checker: 'acknowledgements',
    file: REPLICA,
    find: 'const stored = this.#store.read(keys)\n    const records',
    replace: 'const stored = this.#currentOf(keys)\n    const records',
  },
  {
    name: 'damaged-is-absent',
    rule: 'damaged-is-unknown',
    checker: 'acknowledgements',
    file: REPLICA,
    find: 'statuses[index] = REPLY.unknown',
    replace: 'records[index] = undefined',
  },
  {
    name: 'expired-is-done',
    rule: 'deadlines',
    checker: 'deadlines',
    file: REPLICA,
    find: 'const status = (deadlinesMs[index] ?? 0) < nowMs ? REPLY.expired : STATUS_OF[verdict]',
    replace: 'const status = STATUS_OF[verdict]',
  },
  {
    name: 'half-a-group',
    rule: 'atomic',
    checker: 'acknowledgements',
    file: MERGING,
    find: 'for (let place = unit.from; place < unit.end; place++) {\n        const key = keys[place] as Key\n        const record = records[place] as VersionRecord\n        const stored',
    replace:
      'for (let place = unit.from; place < Math.max(unit.from + 1, unit.end - 1); place++) {\n        const key = keys[place] as Key\n        const record = records[place] as VersionRecord\n        const stored',
  },
  {
    name: 'missed-writes-forgotten',
    rule: 'hints-stay',
    checker: 'replicas-identical',
    file: COORDINATION,
    find: 'this.#requests.addMissed(request)\n    request.start(this)',
    replace: 'void request',
  },
  {
    name: 'siblings-lost-in-a-merge',
    rule: 'all-concurrent',
    checker: 'siblings',
    file: DVV,
    find: 'const longer = b.counter > a.counter ? b : a',
    replace: 'const longer = b.counter > a.counter ? a : b',
  },
  {
    name: 'the-older-version-wins',
    rule: 'linearizable',
    checker: 'lost-writes',
    file: RECORD,
    find: 'return sameStamp(a, b) || a.stamp > b.stamp ? a : b',
    replace: 'return sameStamp(a, b) || a.stamp > b.stamp ? b : a',
  },
  {
    name: 'tombstone-dropped-early',
    rule: 'deletes',
    checker: 'linearizability',
    file: STORE,
    find: 'records.set(key, encoded[index] as Uint8Array)',
    replace:
      "const kept = write.records[index]; if (kept?.kind === 'lww' && kept.value === null) records.delete(key); else records.set(key, encoded[index] as Uint8Array)",
  },
  {
    name: 'hint-dropped-before-it-arrived',
    rule: 'hints-stay',
    checker: 'hints',
    file: HINTS,
    find: 'if (failed.has(id) || batch.unfinished.has(id) || isLacking) kept.add(id)',
    replace: 'if (failed.has(-1)) kept.add(id)',
  },
  {
    name: 'hint-acknowledged-before-the-store',
    rule: 'hints-stay',
    checker: 'hints',
    file: HINTS,
    find: 'if (kept.length === 0) this.#reply(token, 0)\n    else',
    replace: 'this.#reply(token, kept.length)\n    if (kept.length > 0)',
  },
  {
    name: 'exchange-gives-nothing-back',
    rule: 'down-for-good',
    checker: 'replicas-identical',
    file: EXCHANGE,
    find: "this.#output.push({ type: 'push', push: running.awaited, node: running.peer, key, record })\n      moved.push(record)\n      pushed += 1",
    replace: 'void record',
  },
  {
    name: 'expired-read-is-answered',
    rule: 'deadlines',
    checker: 'deadlines',
    file: REPLICA,
    find: 'const status = (message.deadlinesMs[index] ?? 0) < nowMs ? REPLY.expired : STATUS_OF[verdict]',
    replace: 'const status = STATUS_OF[verdict]',
  },
  {
    name: 'expired-scan-is-answered',
    rule: 'deadlines',
    checker: 'late-requests',
    file: 'src/protocol/replica-scans.ts',
    find: 'let status: ReplyStatus = message.deadlineMs < nowMs ? REPLY.expired : REPLY.ok',
    replace: 'let status: ReplyStatus = REPLY.ok',
  },
  {
    name: 'a-group-in-two-writes',
    rule: 'atomic',
    checker: 'batches',
    file: REPLICA,
    find: "this.#output.push({ type: 'write', token: draft.token, write: { keys, records, liveKeysDelta } })",
    replace:
      "if (keys.length > 1) this.#output.push({ type: 'write', token: this.#takeToken(), write: { keys: keys.slice(0, 1), records: records.slice(0, 1), liveKeysDelta: 0 } })\n    this.#output.push({ type: 'write', token: draft.token, write: { keys, records, liveKeysDelta } })",
  },
  {
    name: 'a-delete-loses',
    rule: 'deletes',
    checker: 'lost-writes',
    file: RECORD,
    find: "if (a.kind === 'lww' && b.kind === 'lww') return a.stamp >= b.stamp\n",
    replace:
      "if (a.kind === 'lww' && b.kind === 'lww') return a.stamp >= b.stamp || (b.value === null && a.value !== null)\n",
  },
  {
    name: 'hint-of-a-replaced-owner-forgotten',
    rule: 'hints-follow-owners',
    checker: 'hints',
    file: HINTS,
    find: '    const accepted = this.#orphans.get(hint.id)\n    let lacking',
    replace:
      '    const accepted = this.#orphans.get(hint.id)\n    if (!targets.includes(hint.target)) {\n      batch.finished.push(hint)\n      return\n    }\n    let lacking',
  },
  {
    name: 'hints-of-an-earlier-life-forgotten',
    rule: 'hints-stay',
    checker: 'hints',
    file: HINTS,
    find: 'for (const hint of options.hints) {',
    replace: 'for (const hint of options.hints.slice(0, 0)) {',
  },
]
