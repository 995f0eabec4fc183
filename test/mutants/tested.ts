/**
 * Wrong versions of what no checker of the simulator can see: files and real clocks, which it does not have; what is wrong in the same way
 * everywhere; what it never does, such as to lose two stores at a time. A test of the suite must catch each.
 */

import type { TestedMutant } from './mutant.js'

export const TESTED: readonly TestedMutant[] = [
  {
    name: 'slot-of-the-whole-key',
    rule: 'slots',
    test: ['protocol/ring/slot.test.ts', 'slot: keys with one hash tag share it'],
    file: 'src/protocol/ring/slot.ts',
    find: 'if (close > open + 1) return crc16(key, open + 1, close)',
    replace: 'if (close > open + 1) return crc16(key, 0, key.length)',
  },
  {
    name: 'partition-by-the-lowest-bits',
    rule: 'slots',
    test: ['protocol/ring/slot.test.ts', 'partition: equal runs of slots, in slot order'],
    file: 'src/protocol/ring/slot.ts',
    find: 'return slot >> (Math.clz32(partitions) - Math.clz32(SLOTS))',
    replace: 'return slot & (partitions - 1)',
  },
  {
    name: 'stamps-by-the-wall-clock',
    rule: 'wall-time-only',
    test: ['actors/runtime/clock.test.ts', 'whatever becomes of the wall clock'],
    file: 'actors/runtime/clock.ts',
    find: 'return process.hrtime.bigint() + Atomics.load(this.#cells, OFFSET_CELL)',
    replace: 'return BigInt(Date.now()) * 1_000_000n + (Atomics.load(this.#cells, OFFSET_CELL) & 0n)',
  },
  {
    name: 'gateway-coordinates-all-the-same',
    rule: 'coordination',
    test: ['protocol/coordinator/forward.test.ts', 'forward: a node coordinates gets and puts'],
    file: 'src/protocol/gateway.ts',
    find: "if (this.#config.coordination === 'client') this.#submit(put, nowMs)",
    replace: 'if (nowMs >= 0) this.#submit(put, nowMs)',
  },
  {
    name: 'the-same-actor-after-damage',
    rule: 'actors',
    // It takes a damaged record whose newest dot nobody else has: one seed in some hundreds.
    test: ['protocol/coordinator/forward.test.ts', 'forward: an owner whose record was damaged gives no dot twice'],
    file: 'src/protocol/node-requests.ts',
    find: 'this.onDotsForgotten()\n    const local',
    replace: 'const local',
  },
  {
    name: 'the-same-actor-after-a-move',
    rule: 'actors',
    // It takes a context of before the move, too: one seed in some hundreds.
    test: [
      'protocol/coordinator/forward.test.ts',
      'forward: an owner whose partition moved away and came back gives no dot twice',
    ],
    file: 'src/protocol/dynamo-node.ts',
    find: 'if (this.#transfers.onTable(before, this.#keeper)) this.#requests.onDotsForgotten()',
    replace: 'this.#transfers.onTable(before, this.#keeper)',
  },
  {
    name: 'the-same-actor-after-a-forgotten-delete',
    rule: 'actors',
    test: ['protocol/coordinator/forward.test.ts', 'forward: an owner that forgot a delete gives no dot twice'],
    file: 'src/protocol/node-requests.ts',
    find: "    this.onDotsForgotten()\n    this.#locals.add(local, { type: 'reap' })",
    replace: "    this.#locals.add(local, { type: 'reap' })",
  },
  {
    name: 'a-root-is-believed-before-it-is-stored',
    rule: 'down-for-good',
    // It takes a store that refuses what a tree has counted, between a question and its answer.
    test: [
      'protocol/handoff/fill-copies.test.ts',
      'a copy: what was stored is not what a tree had counted, so nothing is filled',
    ],
    file: 'src/protocol/handoff/fill.ts',
    find: 'if (isStored && equal !== undefined && equal.lapses === this.#trees.lapses)',
    replace: 'if (equal !== undefined)',
  },
  {
    name: 'past-the-window-nobody-is-told',
    rule: 'hints-stay',
    // So many other reasons have nodes compare that the simulator sees this one in few seeds.
    test: ['protocol/coordinator/put-hints.test.ts', 'put: past the hint window nobody keeps a hint'],
    file: 'src/protocol/coordinator/coordination.ts',
    find: 'if (absentMs >= this.config.hintWindowMs || this.#requests.isMissedFull) return this.hintLost(target)',
    replace: 'if (absentMs >= this.config.hintWindowMs || this.#requests.isMissedFull) return',
  },
  {
    name: 'acknowledged-before-the-witness',
    rule: 'witness',
    test: ['storage/group-commit.test.ts', 'group commit: under disk the ack waits for the synced witness'],
    file: 'src/storage/group-commit.ts',
    find: 'if (!group.sync && this.#syncing === undefined) {',
    replace: 'if (group.sync || this.#syncing === undefined) {',
  },
  {
    name: 'lost-tail-is-passed-over',
    rule: 'lost-tails',
    test: ['protocol/supervision/exchanges-owed.test.ts', 'a store that lost its tail is told of'],
    file: 'src/protocol/supervision/supervisor-core.ts',
    find: "if (isForgetful || event.verdict === 'lost-tail' || event.hintsDamaged > 0)",
    replace: 'if (isForgetful || event.hintsDamaged > 0)',
  },
  {
    name: 'an-exit-is-a-rumour',
    rule: 'exit-is-certain',
    test: ['protocol/membership/membership.test.ts', 'exit: suspect at once'],
    file: 'src/protocol/membership/membership.ts',
    find: 'this.#apply(this.#view.learnExit(id, incarnation), nowMs, outputs)',
    replace: 'this.#view.learnExit(id, incarnation)',
  },
  {
    name: 'the-first-restart-waits',
    rule: 'restarts',
    test: ['protocol/supervision/restart-policy.test.ts', 'the first restart is immediate'],
    file: 'src/protocol/supervision/restart-policy.ts',
    find: "if (counted <= 1) return { type: 'restart', delayMs: 0 }",
    replace: "if (counted < 1) return { type: 'restart', delayMs: 0 }",
  },
  {
    name: 'forgets-although-there-are-hints',
    rule: 'deletes',
    test: ['protocol/repair/reaper.test.ts', 'who is asked agrees once what it holds is on the disk'],
    file: 'src/protocol/repair/reaper.ts',
    find: ' || hinted.has(partition)) return',
    replace: ') return',
  },
  {
    name: 'forgets-what-an-owner-lacks',
    rule: 'deletes',
    test: ['protocol/repair/reaper.test.ts', 'who is asked agrees once what it holds is on the disk'],
    file: 'src/protocol/repair/reaper.ts',
    find: 'if (!isTarget || held[place] === true) places.push(place)',
    replace: 'places.push(place)',
  },
  {
    name: 'forgets-after-one-look',
    rule: 'deletes',
    test: ['protocol/repair/reaper.test.ts', 'a tombstone is forgotten after everybody has agreed twice'],
    file: 'src/protocol/repair/reaper.ts',
    find: 'agreed.since >= before',
    replace: 'agreed.since < stamp',
  },
  {
    name: 'smaller-quorums-at-once',
    rule: 'joint-row-known',
    test: ['protocol/table-keeper.test.ts', 'a row that has lost places is guarded at those too who owned it before'],
    file: 'src/protocol/table-keeper.ts',
    find: '(isSmaller || !isFullOwner(before, this.#self))',
    replace: '(false || !isFullOwner(before, this.#self))',
  },
  {
    name: 'forgets-what-a-backup-may-lack',
    rule: 'deletes',
    test: [
      'protocol/repair/reaper.test.ts',
      'nothing is forgotten that everybody held only after the time that was noted',
    ],
    file: 'src/protocol/repair/reaper.ts',
    find: 'noted < graceEnd ? noted : graceEnd',
    replace: 'noted < graceEnd ? graceEnd : graceEnd',
  },
  {
    name: 'a-loss-is-accepted-beforehand',
    rule: 'losses',
    test: ['protocol/supervision/losses.test.ts', 'a loss that is accepted before it happens is not accepted'],
    file: 'src/protocol/supervision/owner-changes.ts',
    find: 'if (row?.lost !== true) continue\n      if (this.#hasTooFewStores(row, partition)) this.#accepted.add(partition)',
    replace: 'if (row === undefined) continue\n      this.#accepted.add(partition)',
  },
  {
    name: 'data-before-control',
    rule: 'two-lanes',
    test: ['protocol/mailbox.test.ts', 'mailbox: control before data'],
    file: 'src/protocol/mailbox.ts',
    find: 'this.#control.length === 0 ? this.#data : this.#control.concat(this.#data)',
    replace: 'this.#control.length === 0 ? this.#data : this.#data.concat(this.#control)',
  },
  {
    name: 'what-was-damaged-is-stuck',
    rule: 'losses',
    test: [
      'protocol/repair/heals.test.ts',
      'what a page says that was read before something newer was written makes nobody stuck',
    ],
    file: 'src/protocol/repair/heals.ts',
    find: 'if (attempt === undefined || !this.#host.isDamaged(key)) return',
    replace: 'if (attempt === undefined) return',
  },
  {
    name: 'who-is-filled-meanwhile-compares-with-nobody',
    rule: 'down-for-good',
    test: [
      'protocol/supervision/exchanges-owed.test.ts',
      'one that was filled while others still had to compare compares too: it may have read from those that lack something',
    ],
    file: 'src/protocol/supervision/exchanges.ts',
    find: 'this.#isDueWhenFilled ||= state.isMoving && this.#owed.size > 0',
    replace: 'this.#isDueWhenFilled ||= false',
  },
  {
    name: 'an-older-write-back-counts',
    rule: 'linearizable',
    // One seed in ten thousand.
    test: ['protocol/coordinator/get.test.ts', 'get: who took what was the newest under an earlier table'],
    file: 'src/protocol/coordinator/get.ts',
    find: 'if (records !== writeBack?.records || !writeBack.settle(from)) return',
    replace: 'if (records.length === 0 || writeBack?.settle(from) !== true) return',
  },
]
