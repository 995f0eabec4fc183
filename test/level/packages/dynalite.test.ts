/**
 * dynalite, a DynamoDB for tests and development. It makes its database of the package `level`: here what it requires under that
 * name is one class, then the other.
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire, Module } from 'node:module'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { type Ground, type LevelClass, sameProgram } from './same-program.js'

type Call = (operation: string, request: object) => Promise<Record<string, unknown>>
type Item = Record<string, { readonly S: string } | { readonly N: string }>

const require = createRequire(import.meta.url)
const TABLE = { TableName: 'orders' }
const ASKED_MAX = 5_000
/** The one error that is asked for. */
const REFUSED = '#ConditionalCheckFailedException'
/** No signature is checked, but there must be one. */
const SIGNED = 'AWS4-HMAC-SHA256 Credential=a/20260101/eu/dynamodb/aws4_request, SignedHeaders=host, Signature=b'

test('dynalite: a program sees the same on a cluster of which a node dies', (t) => sameProgram(t, 100, program))

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const databases: unknown[] = []
  const server = dynaliteOn(Level, databases)({ path: location, createTableMs: 0 })
  server.listen(0)
  await once(server, 'listening')
  const call = callerOf((server.address() as AddressInfo).port)
  try {
    return await useTables(call, () => crash(databases[0]))
  } finally {
    server.close()
    await once(server, 'close')
  }
}

async function useTables(call: Call, crash: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = []
  await call('CreateTable', {
    ...TABLE,
    AttributeDefinitions: [
      { AttributeName: 'customer', AttributeType: 'S' },
      { AttributeName: 'day', AttributeType: 'N' },
      { AttributeName: 'city', AttributeType: 'S' },
    ],
    KeySchema: keySchema('customer', 'day'),
    GlobalSecondaryIndexes: [
      { IndexName: 'by-city', KeySchema: keySchema('city', 'day'), Projection: { ProjectionType: 'ALL' } },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  })
  await untilActive(call)
  for (let number = 0; number < 200; number++) {
    await call('PutItem', { ...TABLE, Item: orderOf(number) })
    if (number === 80) await crash()
  }
  for (let from = 200; from < 400; from += 25) {
    const puts = Array.from({ length: 25 }, (_, at) => ({ PutRequest: { Item: orderOf(from + at) } }))
    await call('BatchWriteItem', { RequestItems: { [TABLE.TableName]: puts } })
  }
  await crash()
  for (let number = 0; number < 60; number++) {
    const { customer, day } = orderOf(number)
    const ExpressionAttributeValues = { ':one': { N: '1' } }
    const UpdateExpression = 'ADD pieces :one'
    const Key = { customer, day }
    if (number % 3 === 0) seen.push(await call('DeleteItem', { ...TABLE, Key, ReturnValues: 'ALL_OLD' }))
    else await call('UpdateItem', { ...TABLE, Key, UpdateExpression, ExpressionAttributeValues })
  }
  for (let customer = 0; customer < 20; customer++) {
    const ExpressionAttributeValues = { ':customer': { S: `customer ${customer}` }, ':day': { N: '4' } }
    const KeyConditionExpression = 'customer = :customer AND #day > :day'
    const query = { ...TABLE, KeyConditionExpression, ExpressionAttributeValues, ExpressionAttributeNames: DAY }
    seen.push(await call('Query', query), await call('Query', { ...query, ScanIndexForward: false, Limit: 3 }))
  }
  for (const city of ['Paris', 'Genève', '東京']) {
    const ExpressionAttributeValues = { ':city': { S: city } }
    const query = { ...TABLE, IndexName: 'by-city', KeyConditionExpression: 'city = :city', ExpressionAttributeValues }
    seen.push(await call('Query', query))
  }
  for (let number = 0; number < 60; number++) {
    const { customer, day } = orderOf(number)
    seen.push(await call('GetItem', { ...TABLE, Key: { customer, day }, ConsistentRead: true }))
  }
  const refused = { ...TABLE, Item: orderOf(1), ConditionExpression: 'attribute_not_exists(customer)' }
  seen.push(await call('PutItem', refused), await call('Scan', TABLE))
  return seen
}

/** A table is made in the background. */
async function untilActive(call: Call): Promise<void> {
  for (let ask = 0; ask < ASKED_MAX; ask++) {
    const { Table } = (await call('DescribeTable', TABLE)) as { Table: { TableStatus: string } }
    if (Table.TableStatus === 'ACTIVE') return
  }
  throw new Error(`the table is not there after ${ASKED_MAX} questions`)
}

const DAY = { '#day': 'day' }

function keySchema(hash: string, range: string) {
  return [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ]
}

function orderOf(number: number): Item {
  const city = ['Paris', 'Genève', '東京', 'Rome'][number % 4] ?? ''
  return {
    customer: { S: `customer ${number % 20}` },
    day: { N: String(Math.floor(number / 20)) },
    city: { S: city },
    pieces: { N: String(number % 7) },
  }
}

/** A fresh dynalite; what it makes is put into `databases`. */
function dynaliteOn(Level: LevelClass, databases: unknown[]): (options: object) => Server {
  class Made<K, V> extends Level<K, V> {
    constructor(location: string, options?: object) {
      super(location, options)
      databases.push(this)
    }
  }
  const path = require.resolve('level')
  for (const loaded of Object.keys(require.cache)) if (/[\\/]dynalite[\\/]/.test(loaded)) delete require.cache[loaded]
  require.cache[path] = Object.assign(new Module(path), { exports: { Level: Made }, loaded: true })
  return require('dynalite')
}

function callerOf(port: number): Call {
  return async (operation, request) => {
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization: SIGNED,
      },
      body: JSON.stringify(request),
    })
    const answer = (await response.json()) as Record<string, unknown>
    if (!response.ok && !String(answer['__type']).endsWith(REFUSED)) throw new Error(JSON.stringify(answer))
    return answer
  }
}
