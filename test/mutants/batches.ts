/** Wrong versions of logged batches. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const BATCHES = 'src/protocol/batch-log/logged-batches.ts'
const REPLAY = 'src/protocol/batch-log/batch-replay.ts'

export const BATCH_LOG: readonly Mutant[] = [
  {
    name: 'a-batch-is-not-logged',
    rule: 'atomic',
    checker: 'logged-batches',
    file: 'src/protocol/gateway.ts',
    find: 'if (request.logged === true && groups.length > 1) {',
    replace: 'if (request.logged === true && groups.length > 99) {',
  },
  {
    name: 'a-log-that-nobody-takes-over',
    rule: 'atomic',
    checker: 'logged-batches',
    file: REPLAY,
    find: "this.#onFound(stamp, keys, isTooOld || entry === 'not-whole' ? undefined : entry)",
    replace: 'this.#onFound(stamp, keys, undefined)',
  },
  {
    name: 'a-batch-is-given-up-at-its-deadline',
    rule: 'atomic',
    checker: 'logged-batches',
    file: BATCHES,
    find: '    this.#pause(batch, nowMs)\n  }\n\n  #onCleared',
    replace: '    this.#clear(batch, nowMs)\n  }\n\n  #onCleared',
  },
  {
    name: 'a-log-is-cleared-with-a-stamp-of-its-own',
    rule: 'atomic',
    checker: 'logged-batches',
    file: BATCHES,
    find: 'this.#write(batch, group, nextStamp(batch.stamp), options)',
    replace: 'this.#write(batch, group, batch.stamp, options)',
  },
]
