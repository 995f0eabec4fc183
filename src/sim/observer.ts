/**
 * What an observer of a simulated world may see. Checkers, traces and counters are observers: they have a state of their
 * own and change nothing.
 */

import type { OperationOutcome } from '../protocol/coordinator/request.js'
import type { Notice } from '../protocol/effects.js'
import type { Address, GatewayId, Incarnation, NodeId } from '../protocol/ids.js'
import type { Message } from '../protocol/messages.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { StoreWrite } from '../protocol/store-contract.js'
import type { SupervisorNotice } from '../protocol/supervision/supervisor-events.js'
import type { Call } from './call.js'
import type { TakenCut } from './sim-cut.js'
import type { SimWorld } from './world.js'

/** Why a node's thread ends that owns nothing and owes nothing any more. */
export const HAS_LEFT = 'it has left'

export interface Mail {
  readonly from: Address
  readonly to: Address
  readonly message: Message
}

/** Anything that it does not care for, it leaves out. */
export interface Observer {
  /** First of all. */
  onWorld?(world: SimWorld): void
  onCall?(call: Call): void
  /** Once for each answer; more than one is a violation that some checker reports. */
  onEnd?(call: Call, outcome: OperationOutcome): void
  /** An answer to a call that has none any more. */
  onStrayEnd?(gateway: GatewayId, number: number, outcome: OperationOutcome): void
  /** The caller is gone, and with it whoever could be told. */
  onVanished?(call: Call): void
  onSend?(mail: Mail, world: SimWorld): void
  onLost?(mail: Mail): void
  /** Mail that was meant for an earlier life reaches the present one. */
  onLate?(mail: Mail, world: SimWorld): void
  /** The receiver is about to handle it. */
  onDelivered?(mail: Mail, world: SimWorld): void
  onSpawn?(node: NodeId, incarnation: Incarnation): void
  /** `storeId`: of the store as it was opened; `verdict` as the supervisor is told. */
  onOpened?(node: NodeId, opened: { readonly verdict: string; readonly storeId: string; readonly reason: string }): void
  onBoot?(node: NodeId, table: PartitionTable): void
  onDeath?(node: NodeId, reason: string): void
  /** A gateway notices that the thread of that life ends; the supervisor's word comes besides. */
  onLinkClosed?(gateway: GatewayId, node: NodeId, incarnation: Incarnation): void
  onAccepted?(node: NodeId, write: StoreWrite, world: SimWorld): void
  onPersisted?(table: PartitionTable): void
  onNotice?(from: Address, notice: Notice | SupervisorNotice): void
  onGateway?(gateway: GatewayId, isThere: boolean): void
  onFault?(text: string): void
  /** The whole process is about to stand still for so long. */
  onPause?(ms: number, world: SimWorld): void
  /** Every few ms of virtual time. */
  onSample?(world: SimWorld): void
  /** A backup's cut has been taken, or not. */
  onCut?(cut: TakenCut, world: SimWorld): void
  /** After every turn of a node. */
  onTurn?(node: NodeId, world: SimWorld): void
  /** Faults are over, and everything has settled. `isRead`: and every key was read from all its owners since. */
  onSettled?(world: SimWorld, isRead: boolean): void
}

/** Observers by what they care for: most care for little, and much happens. */
export type Watching = { readonly [Name in keyof Observer]-?: readonly (Observer & Required<Pick<Observer, Name>>)[] }

export function watchingOf(observers: readonly Observer[]): Watching {
  const of = <Name extends keyof Observer>(name: Name) =>
    observers.filter((observer): observer is Observer & Required<Pick<Observer, Name>> => observer[name] !== undefined)
  return {
    onWorld: of('onWorld'),
    onCall: of('onCall'),
    onEnd: of('onEnd'),
    onStrayEnd: of('onStrayEnd'),
    onVanished: of('onVanished'),
    onSend: of('onSend'),
    onLost: of('onLost'),
    onLate: of('onLate'),
    onDelivered: of('onDelivered'),
    onSpawn: of('onSpawn'),
    onOpened: of('onOpened'),
    onBoot: of('onBoot'),
    onDeath: of('onDeath'),
    onLinkClosed: of('onLinkClosed'),
    onAccepted: of('onAccepted'),
    onPersisted: of('onPersisted'),
    onNotice: of('onNotice'),
    onGateway: of('onGateway'),
    onFault: of('onFault'),
    onPause: of('onPause'),
    onSample: of('onSample'),
    onCut: of('onCut'),
    onTurn: of('onTurn'),
    onSettled: of('onSettled'),
  }
}
