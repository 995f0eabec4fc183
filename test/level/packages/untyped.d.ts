/** What the tests use of packages that bring no types. */

declare module 'fergies-inverted-index' {
  type Token = string | { readonly FIELD: string; readonly VALUE?: unknown }
  type Results = Promise<object[]>

  export class InvertedIndex {
    constructor(options: { readonly name: string; readonly Level: unknown })
    readonly STORE: { close(): Promise<void> }
    PUT(documents: readonly object[]): Promise<unknown>
    DELETE(ids: readonly number[]): Promise<unknown>
    GET(token: Token): Results
    AND(tokens: readonly Token[]): Results
    OR(tokens: readonly Token[]): Results
    NOT(these: Results, butNotThese: Results): Results
    OBJECT(results: object[]): Results
    DISTINCT(token: Token): Promise<unknown>
    FACETS(token: Token): Promise<unknown>
    BUCKETS(...tokens: Token[]): Promise<unknown>
    MIN(field: string): Promise<unknown>
    MAX(field: string): Promise<unknown>
    FIELDS(): Promise<string[]>
    EXPORT(): Promise<{ readonly key: readonly unknown[] }[]>
  }
}

declare module 'aedes-persistence-level/asyncPersistence.js' {
  import type { Readable } from 'node:stream'

  interface Client {
    readonly id: string
  }
  interface Subscription {
    readonly topic: string
    readonly qos: number
  }

  class LevelPersistence {
    constructor(db: unknown)
    setup(broker: { readonly id: string }): Promise<void>
    destroy(): Promise<void>
    storeRetained(packet: object): Promise<void>
    createRetainedStream(pattern: string): Readable
    createRetainedStreamCombi(patterns: readonly string[]): Readable
    addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void>
    removeSubscriptions(client: Client, topics: readonly string[]): Promise<void>
    cleanSubscriptions(client: Client): Promise<void>
    subscriptionsByClient(client: Client): Promise<Subscription[]>
    subscriptionsByTopic(topic: string): Promise<{ readonly clientId: string }[]>
    countOffline(): Promise<{ readonly subsCount: number; readonly clientsCount: number }>
    getClientList(topic: string): Readable
    outgoingEnqueue(subscription: { readonly clientId: string }, packet: object): Promise<void>
    outgoingUpdate(client: Client, packet: object): Promise<void>
    outgoingClearMessageId(client: Client, packet: { readonly messageId: number }): Promise<object | undefined>
    outgoingStream(client: Client): Readable
    incomingStorePacket(client: Client, packet: object): Promise<void>
    incomingGetPacket(client: Client, packet: { readonly messageId: number }): Promise<object>
    cleanIncoming(client: Client): Promise<void>
    putWill(client: Client, packet: object): Promise<void>
    getWill(client: Client): Promise<object | undefined>
  }
  export = LevelPersistence
}

declare module 'y-leveldb' {
  import type { Doc } from 'yjs'

  export class LeveldbPersistence {
    constructor(location: string, options?: { readonly Level?: unknown; readonly levelOptions?: object })
    _transact<Result>(work: (db: unknown) => Promise<Result>): Promise<Result>
    storeUpdate(name: string, update: Uint8Array): Promise<number>
    flushDocument(name: string): Promise<void>
    clearDocument(name: string): Promise<void>
    destroy(): Promise<void>
    getYDoc(name: string): Promise<Doc>
    getStateVector(name: string): Promise<Uint8Array>
    getDiff(name: string, stateVector: Uint8Array): Promise<Uint8Array>
    getAllDocNames(): Promise<string[]>
    setMeta(name: string, key: string, value: unknown): Promise<void>
    getMeta(name: string, key: string): Promise<unknown>
    getMetas(name: string): Promise<Map<string, unknown>>
  }
}
