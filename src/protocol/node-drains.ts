/**
 * Carries what the machines of a node say to each other, to the store and to other nodes. Has no rules: each output has one
 * place that it goes to. A part of `DynamoNode`, called by nobody else.
 */

import type { MembershipOutput } from './membership/membership-output.js'
import { PURPOSE } from './messages.js'
import type { NodeIdentity } from './node-identity.js'
import type { NodeMachines } from './node-machines.js'
import type { ReplicaOutput } from './replica.js'

/** Returns how much was said; what follows from it may be said by a machine that was drained before. */
export function drainMachines(machines: NodeMachines): number {
  return (
    drainReplica(machines) +
    drainHints(machines) +
    drainFill(machines) +
    drainExchange(machines) +
    drainReaper(machines) +
    machines.requests.drainCoordination()
  )
}

/** What the membership says goes at once: it follows from one input and leads to none. A salvaged store gossips with nobody. */
export function carryMembership(
  outputs: readonly MembershipOutput[],
  { post, keeper }: NodeMachines,
  { salvage }: NodeIdentity,
): void {
  for (const output of outputs) {
    switch (output.type) {
      case 'send':
        if (!salvage) post.send(output.to, output.message)
        break
      case 'status':
        if (output.from !== null)
          post.notice({ type: 'member/status', node: output.member.id, from: output.from, to: output.to })
        break
      case 'table-behind':
        post.send(output.peer, { type: 'table/request', epoch: keeper.epoch })
        break
      default:
        output satisfies never
    }
  }
}

function drainReplica(machines: NodeMachines): number {
  const outputs = machines.replica.takeOutput()
  for (const output of outputs) onReplicaOutput(output, machines)
  return outputs.length
}

function onReplicaOutput(output: ReplicaOutput, machines: NodeMachines): void {
  switch (output.type) {
    case 'reply':
      return machines.post.reply(output.to, output.message, machines.keeper.table)
    case 'write':
      machines.requests.heals.onWriting(output.write.keys)
      machines.post.effect({ type: 'store/write', token: output.token, write: output.write })
      return
    case 'scan':
      machines.post.effect({ type: 'store/scan', token: output.token, scan: output.scan })
      return
    case 'damaged':
      return machines.requests.heals.heal(output.key)
    case 'local':
      return machines.requests.onLocal(output.id, output.status, output.records)
    default:
      output satisfies never
  }
}

function drainHints(machines: NodeMachines): number {
  const outputs = machines.hints.takeOutput()
  for (const output of outputs) {
    switch (output.type) {
      case 'write':
        machines.post.effect({ type: 'store/write', token: output.token, write: output.write })
        break
      case 'reply':
        machines.post.send(output.to, output.message)
        break
      case 'handoff': {
        const { key, record } = output.hint
        machines.requests.handOver(output.handoff, { node: output.node, purpose: PURPOSE.handoff, key, record })
        break
      }
      case 'progress': {
        const { target, hints, remaining } = output
        machines.post.notice({ type: 'handoff', target, hints, remaining })
        break
      }
      default:
        output satisfies never
    }
  }
  return outputs.length
}

function drainFill(machines: NodeMachines): number {
  const outputs = machines.fill.takeOutput()
  for (const output of outputs) {
    if (output.type === 'send') machines.post.send(output.to, output.message)
    else if (output.type === 'scan')
      machines.post.effect({ type: 'store/scan', token: output.token, scan: output.scan })
    else if (output.type === 'seal') {
      const write = { keys: [], records: [], liveKeysDelta: 0 }
      machines.post.effect({ type: 'store/write', token: output.token, write })
    } else if (output.type === 'progress') {
      const { partitions, source, records, done } = output
      machines.post.notice({ type: 'transfer', partitions, source, records, done })
    } else if (output.type === 'told') {
      machines.post.notice({ ...output, type: 'transfer/progress' })
    } else {
      machines.requests.storeFill(output)
    }
  }
  return outputs.length
}

function drainExchange(machines: NodeMachines): number {
  const outputs = machines.exchange.takeOutput()
  for (const output of outputs) {
    switch (output.type) {
      case 'send':
        machines.post.send(output.to, output.message)
        break
      case 'scan':
        machines.post.effect({ type: 'store/scan', token: output.token, scan: output.scan })
        break
      case 'store':
        machines.requests.storeExchange(output)
        break
      case 'push': {
        const { push, node, key, record } = output
        machines.requests.push(push, { node, purpose: PURPOSE.repair, key, record })
        break
      }
      case 'damaged':
        machines.requests.heals.heal(output.key)
        break
      case 'progress': {
        const { peer, keysDiffering, done } = output
        machines.post.notice({ type: 'exchange', peer, keysDiffering, done })
        break
      }
      default:
        output satisfies never
    }
  }
  return outputs.length
}

function drainReaper({ reaper, post, requests }: NodeMachines): number {
  const outputs = reaper.takeOutput()
  for (const output of outputs) {
    switch (output.type) {
      case 'send':
        post.send(output.to, output.message)
        break
      case 'scan':
        post.effect({ type: 'store/scan', token: output.token, scan: output.scan })
        break
      case 'write':
        post.effect({ type: 'store/write', token: output.token, write: output.write })
        break
      case 'reap':
        requests.reap(output)
        break
      default:
        output satisfies never
    }
  }
  return outputs.length
}
