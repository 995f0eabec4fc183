/** A connection whose answers the test gives, one after the other, and a topology of one master with a replica. */

import type { Answer, Argument } from '../../../src/engines/redis-cluster/connection.js'
import type { Connections } from '../../../src/engines/redis-cluster/connections.js'
import { parseTopology, type Topology } from '../../../src/engines/redis-cluster/topology.js'
import type { TopologyWatch } from '../../../src/engines/redis-cluster/topology-watch.js'

const [MASTER, REPLICA] = ['a'.repeat(40), 'b'.repeat(40)]

const ONE_SHARD: Topology = parseTopology(
  [
    `${MASTER} 10.0.0.1:1@11 myself,master - 0 0 1 connected 0-16383`,
    `${REPLICA} 10.0.0.2:1@11 slave ${MASTER} 0 0 1 connected`,
  ].join('\n'),
  'cluster_state:ok\r\ncluster_current_epoch:1',
  '',
)

export const DONE: Answer = { type: 'reply', reply: 1 }

/** What a node was sent, in order, and is to answer. */
export class FakeRedis {
  /** `EVALSHA`, `WAIT 1`: the command, and the first argument of WAIT. */
  readonly sent: string[] = []
  readonly #waiting: { command: string; answer: (answer: Answer) => void }[] = []
  isReady = true
  looks = 0

  readonly connections = {
    get: () => ({
      ready: Promise.resolve(this.isReady),
      isReady: this.isReady,
      error: undefined,
      send: (command: string, ...args: Argument[]) => {
        this.sent.push(command === 'WAIT' ? `WAIT ${args[0]}` : command)
        return new Promise<Answer>((answer) => this.#waiting.push({ command, answer }))
      },
    }),
    end: () => undefined,
  } as unknown as Connections

  readonly watch = {
    topology: ONE_SHARD,
    lookAgain: async () => {
      this.looks += 1
    },
  } as unknown as TopologyWatch

  /** To what has been sent so far, in its order. Resolves once everybody has taken note. */
  async answer(...answers: Answer[]): Promise<void> {
    await turn()
    for (const answer of answers) {
      const next = this.#waiting.shift()
      if (next === undefined) throw new Error('nothing was sent that waits for an answer')
      next.answer(answer)
    }
    await turn()
  }
}

/** Everything that is due has run. */
export function turn(): Promise<void> {
  return new Promise(setImmediate)
}
