/**
 * One connection to one node, from its first byte to its end; it is never made anew, so that what was in flight on it is known to be
 * lost. The only importer of ioredis, which is loaded with the first one.
 *
 * ioredis would send commands again after a reconnection. A write that is sent twice can come back after a newer one.
 */

import type { Redis as IoRedis } from 'ioredis'
import { CoterieError } from '../../shared/errors.js'
import { type RedisAddress, type RedisLogin, type RedisTls, secretsOf } from './options.js'

/** A reply: bytes, a number, nothing, or several. */
export type Reply = Buffer | number | null | readonly Reply[]

/** What became of a command. `lost`: the connection ended, and nobody knows. */
export type Answer =
  | { readonly type: 'reply'; readonly reply: Reply }
  | { readonly type: 'refused'; readonly text: string }
  | { readonly type: 'lost' }

export type Argument = Buffer | Uint8Array | string | number

const CONNECT_TIMEOUT_MS = 1_000
/** Of certificates that will be no better the next time. */
const UNTRUSTED = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

type RedisClass = typeof import('ioredis').Redis
let loaded: Promise<RedisClass> | undefined

/** Errors: OPEN_FAILED where ioredis is not installed. */
export function loadIoRedis(): Promise<RedisClass> {
  loaded ??= import('ioredis').then(
    ({ Redis }) => Redis,
    (cause) => {
      throw new CoterieError(
        'OPEN_FAILED',
        "the engine 'redis-cluster' needs ioredis: npm install ioredis",
        {},
        { cause },
      )
    },
  )
  return loaded
}

export class NodeConnection {
  /** True once it takes commands. Rejects never: false if it ends before. */
  readonly ready: Promise<boolean>
  #redis: IoRedis
  #error: Error | undefined
  #isOver = false

  constructor(Redis: RedisClass, address: RedisAddress, login: RedisLogin, options: { readonly isReadOnly: boolean }) {
    this.#redis = new Redis({
      ...address,
      ...(login.username === undefined ? {} : { username: login.username }),
      ...(login.password === undefined ? {} : { password: login.password }),
      ...(login.tls === undefined ? {} : { tls: tlsOptions(login.tls) }),
      readOnly: options.isReadOnly,
      connectionName: 'coterie',
      // A user of few rights need not be given one more.
      disableClientInfo: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      retryStrategy: null,
    })
    this.#redis.on('error', (error) => {
      this.#error = withoutCommand(error)
    })
    this.#redis.once('end', () => {
      this.#isOver = true
    })
    this.ready = this.#redis.connect().then(
      () => true,
      (error: Error) => {
        this.#error ??= withoutCommand(error)
        this.close()
        return false
      },
    )
  }

  get isReady(): boolean {
    return !this.#isOver && this.#redis.status === 'ready'
  }

  /** It takes commands no more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Why it came to nothing. */
  get error(): Error | undefined {
    return this.#error
  }

  /** The node has refused the login, or is not whom it should be. */
  get isRefused(): boolean {
    const { name, code = '' } = (this.#error ?? {}) as NodeJS.ErrnoException
    return name === 'ReplyError' || UNTRUSTED.has(code)
  }

  /** Only while it is ready. Never rejects. */
  send(command: string, ...args: Argument[]): Promise<Answer> {
    return this.#redis.callBuffer(command, ...(args as string[])).then(
      (reply) => ({ type: 'reply', reply: reply as Reply }),
      (error: Error) => {
        if (error.name === 'ReplyError') return { type: 'refused', text: error.message }
        this.#error ??= withoutCommand(error)
        return { type: 'lost' }
      },
    )
  }

  close(): void {
    this.#isOver = true
    this.#redis.disconnect()
  }
}

function tlsOptions(tls: RedisTls) {
  return { ...secretsOf(tls), ...(tls.serverName === undefined ? {} : { servername: tls.serverName }) }
}

/** ioredis hangs the command that failed on the error, and whoever logs it would log the password of an AUTH. */
function withoutCommand(error: Error): Error {
  if ('command' in error) delete error.command
  return error
}
