/** The model of a disk: what was synced stays, whatever chance decides about the rest. */

import fc from 'fast-check'
import { test } from 'tap'
import { Prng } from '../../../src/protocol/prng.js'
import type { TraceEvent } from './file-trace.js'
import { DiskModel } from './power-cut.js'

const ROOT = '/d'
const FOLDER = 1n
const FILE = 2n

function modelOf(events: readonly TraceEvent[]): DiskModel {
  const model = new DiskModel(new Map([[ROOT, { inode: FOLDER, content: 'folder' }]]))
  model.play(events)
  return model
}

const create: TraceEvent = { type: 'create', inode: FILE, path: '/d/a.tmp' }
const write = (at: number, text: string): TraceEvent => ({ type: 'write', inode: FILE, at, data: Buffer.from(text) })
const rename: TraceEvent = { type: 'rename', path: '/d/a.tmp', to: '/d/a' }
function sync(inode: bigint, token: number, meanwhile: readonly TraceEvent[] = []): TraceEvent[] {
  return [{ type: 'sync-begin', inode, token }, ...meanwhile, { type: 'sync-end', inode, token }]
}

function textAt(files: ReadonlyMap<string, Buffer | 'folder'>, path: string): string | undefined {
  return files.get(path)?.toString()
}

test('cut: what was not synced is gone, what was synced is there', async (t) => {
  const kept = modelOf([create, write(0, 'one'), ...sync(FILE, 1), write(3, 'two')]).afterCut()
  t.equal(textAt(kept, '/d/a.tmp'), 'one')
  t.equal(
    modelOf([create, write(0, 'one')])
      .afterCut()
      .has('/d/a.tmp'),
    false,
    'not even the name',
  )
})

test('cut: an fsync brings along what was written before it began, not what came meanwhile', async (t) => {
  const kept = modelOf([create, write(0, 'one'), ...sync(FILE, 1, [write(3, 'two')])]).afterCut()
  t.equal(textAt(kept, '/d/a.tmp'), 'one')
  const interrupted = modelOf([create, write(0, 'one'), ...sync(FILE, 1).slice(0, 1)]).afterCut()
  t.equal(interrupted.has('/d/a.tmp'), false, 'one that did not end promises nothing')
})

test('cut: a rename is there once its folder was synced; under strict a name too', async (t) => {
  const renamed = [create, write(0, 'one'), ...sync(FILE, 1), rename]
  t.equal(textAt(modelOf(renamed).afterCut(), '/d/a.tmp'), 'one')
  t.equal(textAt(modelOf([...renamed, ...sync(FOLDER, 2)]).afterCut(), '/d/a'), 'one')
  t.equal(modelOf(renamed).afterCut({ strict: true }).size, 1, 'the folder alone')
  t.equal(textAt(modelOf([...renamed, ...sync(FOLDER, 2)]).afterCut({ strict: true }), '/d/a'), 'one')
})

test('cut: whatever chance decides, the synced beginning is whole and every byte is one that was written, or zero', async (t) => {
  const texts = fc.array(fc.string({ minLength: 1, maxLength: 900, unit: fc.constantFrom('x', 'y') }), { maxLength: 6 })
  const property = fc.property(texts, texts, fc.nat(), fc.boolean(), (synced, later, seed, holes) => {
    const appended = (parts: readonly string[], from: number): TraceEvent[] => {
      let at = from
      return parts.map((part) => {
        at += part.length
        return write(at - part.length, part)
      })
    }
    const before = synced.join('')
    const whole = before + later.join('')
    const model = modelOf([create, ...appended(synced, 0), ...sync(FILE, 1), ...appended(later, before.length)])
    const text = textAt(model.afterCut({ prng: new Prng(seed), holes }), '/d/a.tmp') ?? 'nothing'
    const isWritten = [...text].every((char, at) => char === whole[at] || (char === '\0' && at >= before.length))
    return text.startsWith(before) && isWritten && textAt(model.seen(), '/d/a.tmp') === whole
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 81 }))
})
