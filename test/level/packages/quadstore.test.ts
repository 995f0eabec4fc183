/** quadstore, a graph of RDF quads. */

import { Readable } from 'node:stream'
import { Quadstore } from 'quadstore'
import { DataFactory } from 'rdf-data-factory'
import { test } from 'tap'
import { type Ground, sameProgram } from './same-program.js'

test('quadstore: a program sees the same on a cluster of which a node dies', (t) => sameProgram(t, 900, program))

const factory = new DataFactory()

async function program({ Level, location, crash }: Ground): Promise<unknown[]> {
  const seen: unknown[] = []
  const backend = new Level(location)
  const store = new Quadstore({ backend, dataFactory: factory as never })
  const see = (quads: Iterable<Quad>): void => {
    for (const quad of quads) seen.push(line(quad))
  }
  await store.open()
  await store.multiPut(range(400).map((number) => knows(number, number + 1)))
  for (const number of range(200)) {
    await store.put(age(number))
    if (number === 80) await crash(backend)
  }
  see((await store.get({ predicate: term('age') })).items)
  see((await store.get({ subject: term('person17') })).items)
  see((await store.get({ graph: term('graph3'), predicate: term('knows') })).items)
  // A range of numbers: the store keeps them in their order.
  see((await store.get({ object: { termType: 'Range', gte: ageOf(30), lt: ageOf(40) } })).items)
  see((await store.get({ predicate: term('age') }, { reverse: true, limit: 10, order: ['object'] })).items)
  await store.putStream(Readable.from(range(300).map((number) => knows(number, number + 7))), { batchSize: 50 })
  await crash(backend)
  await store.patch(age(5), factory.quad(term('person5'), term('age'), ageOf(99)) as Quad)
  await store.multiDel(range(100).map((number) => knows(number, number + 1)))
  see(await matched(store))
  const scope = await store.initScope()
  const blank = factory.quad(factory.blankNode('b1') as never, term('knows'), term('person1')) as Quad
  await store.put(blank, { scope })
  await store.put({ ...blank, predicate: term('likes') } as Quad, { scope })
  const [one, two] = (await store.get({ object: term('person1') })).items.filter(
    ({ subject }) => subject.termType === 'BlankNode',
  )
  seen.push(one?.subject.equals(two?.subject), one?.predicate.value, two?.predicate.value)
  await store.close()
  return seen
}

type Quad = Parameters<Quadstore['put']>[0]

function matched(store: Quadstore): Promise<Quad[]> {
  return new Promise((resolve, reject) => {
    const quads: Quad[] = []
    const stream = store.match()
    stream.on('data', (quad: Quad) => quads.push(quad))
    stream.on('end', () => resolve(quads))
    stream.on('error', reject)
  })
}

function term(name: string) {
  return factory.namedNode(`http://example.org/${name}`)
}

function knows(subject: number, object: number): Quad {
  return factory.quad(
    term(`person${subject}`),
    term('knows'),
    term(`person${object}`),
    term(`graph${subject % 7}`),
  ) as Quad
}

function age(number: number): Quad {
  return factory.quad(term(`person${number}`), term('age'), ageOf(number % 90)) as Quad
}

function ageOf(years: number) {
  return factory.literal(String(years), factory.namedNode('http://www.w3.org/2001/XMLSchema#integer')) as never
}

function line({ subject, predicate, object, graph }: Quad): string {
  return [subject, predicate, object, graph].map(({ value }) => value).join(' ')
}

function range(length: number): number[] {
  return Array.from({ length }, (_, number) => number)
}
