import { deepEqual } from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'tap'
import { readRecords } from '../../src/cli/load/record-reader.js'
import type { ReaderOptions, SourceItem } from '../../src/cli/load/source-record.js'

const DEFAULTS: ReaderOptions = {
  format: 'tsv',
  header: true,
  keyColumn: undefined,
  valueColumn: undefined,
  delimiter: ',',
}

/** Every way of cutting the input into chunks must give the same records; chunks of one byte cut everywhere. */
async function read(input: string | Buffer, options: Partial<ReaderOptions>): Promise<SourceItem[]> {
  const bytes = Buffer.from(input)
  const whole = await collect(Readable.from([bytes]), options)
  const cut = await collect(Readable.from(Array.from(bytes, (byte) => Buffer.of(byte))), options)
  deepEqual(cut, whole)
  return whole
}

async function collect(source: Readable, options: Partial<ReaderOptions>): Promise<SourceItem[]> {
  const items: SourceItem[] = []
  for await (const item of readRecords(source, { ...DEFAULTS, ...options })) items.push(item)
  return items
}

test('TSV: the first column is the key, the record as JSON the value', async (t) => {
  t.strictSame(await read('id\tname\n1\tOne\n2\tZwölf "x"\n', {}), [
    { line: 2, key: '1', value: '{"id":"1","name":"One"}' },
    { line: 3, key: '2', value: '{"id":"2","name":"Zwölf \\"x\\""}' },
  ])
})

test('TSV: byte order mark, CRLF, empty lines, no line end at the end', async (t) => {
  t.strictSame(await read('\ufeffid\tname\r\n\r\n1\tOne', { valueColumn: 'name' }), [
    { line: 3, key: '1', value: 'One' },
  ])
})

test('TSV: lines that are not UTF-8 or have other columns are bad, and do not stop the others', async (t) => {
  const input = Buffer.concat([Buffer.from('id\tname\n1\t'), Buffer.of(0xff), Buffer.from('\n2\n3\tThree\n')])
  t.strictSame(await read(input, { valueColumn: '2' }), [
    { line: 2, problem: 'is not UTF-8' },
    { line: 3, problem: 'has 1 field, not 2' },
    { line: 4, key: '3', value: 'Three' },
  ])
})

test('TSV without a header: columns have numbers, the record is a JSON array', async (t) => {
  t.strictSame(await read('a\tb\n', { header: false, keyColumn: '2' }), [{ line: 1, key: 'b', value: '["a","b"]' }])
})

test('columns: one that is not there, or is there twice, is an error that names the others', async (t) => {
  await t.rejects(read('id\tname\n1\tx\n', { keyColumn: 'nmae' }), /no column "nmae"; the file has "id", "name"/)
  await t.rejects(read('a\tb\n', { header: false, keyColumn: '3' }), /no column "3"; the file has 1 to 2/)
  await t.rejects(read('id\tid\n1\tx\n', {}), /the column "id" twice/)
})

test('columns: any name can be one', async (t) => {
  const [item] = await read('__proto__\tconstructor\n1\t2\n', {})
  t.match(item, { value: '{"__proto__":"1","constructor":"2"}' })
})

test('CSV: quotes, doubled quotes, line ends in quotes; a line is where its record begins', async (t) => {
  t.strictSame(await read('id,text\n1,"a ""q"", b"\n2,"two\nlines"\n\n3\n', { format: 'csv', valueColumn: 'text' }), [
    { line: 2, key: '1', value: 'a "q", b' },
    { line: 3, key: '2', value: 'two\nlines' },
    { line: 6, problem: 'has 1 field, not 2' },
  ])
})

test('CSV: another delimiter', async (t) => {
  t.strictSame(await read('id;v\n1;a,b\n', { format: 'csv', delimiter: ';', valueColumn: 'v' }), [
    { line: 2, key: '1', value: 'a,b' },
  ])
})

test('CSV: a quote in the middle of a field is a bad line', async (t) => {
  const items = await read('id,v\n1,a"b\n2,x\n', { format: 'csv', valueColumn: 'v' })
  t.match(items, [
    { line: 2, problem: /Quote/ },
    { line: 3, key: '2', value: 'x' },
  ])
})

test('CSV: quotes that do not match end the reading, they do not swallow the rest', async (t) => {
  await t.rejects(read('id,v\n1,"never closed\n2,x\n', { format: 'csv' }), {
    name: 'SourceError',
    message: /quote.*line 3/i,
  })
  await t.rejects(read('id,v\n1,"a"b\n2,x\n', { format: 'csv' }), { name: 'SourceError', message: /line 2/ })
})

test('JSONL: the line as it is written is the value, the first member the key', async (t) => {
  t.strictSame(await read('{"id":7,"big":12345678901234567890}\n\n', { format: 'jsonl' }), [
    { line: 1, key: '7', value: '{"id":7,"big":12345678901234567890}' },
  ])
})

test('JSONL: chosen members; what is no object, no JSON, or has no such member is bad', async (t) => {
  const input = '{"id":"a","v":{"x":1}}\n{"id":"b","v":"text"}\n[1]\n{broken\n{"id":{}}\n{"id":"c"}\n'
  t.match(await read(input, { format: 'jsonl', keyColumn: 'id', valueColumn: 'v' }), [
    { line: 1, key: 'a', value: '{"x":1}' },
    { line: 2, key: 'b', value: 'text' },
    { line: 3, problem: 'is not a JSON object' },
    { line: 4, problem: /is not JSON/ },
    { line: 5, problem: 'has no text or number in "id"' },
    { line: 6, problem: 'has no "v"' },
  ])
})

test('JSONL: the first member is the first that is written, and a number keeps its digits', async (t) => {
  const lines = ['{"name":"first","7":"seven"}', '{"id":12345678901234567890,"v":1}', '{ "id" : 1.0 }', '{"a\\"b":"x"}']
  const items = await read(lines.join('\n'), { format: 'jsonl' })
  t.strictSame(
    items.map((item) => ('key' in item ? item.key : item.problem)),
    ['first', '12345678901234567890', '1.0', 'x'],
  )
})

test('JSONL: a named number that a double cannot hold is a bad line, and so is what only prototypes have', async (t) => {
  const items = await read('{"v":1,"id":12345678901234567890}\n{"v":1,"id":7}\n{"v":1}', {
    format: 'jsonl',
    keyColumn: 'id',
  })
  t.match(items, [{ problem: /quote it/ }, { key: '7' }, { problem: /no text or number in "id"/ }])
  const values = await read('{"id":"1"}', { format: 'jsonl', valueColumn: 'toString' })
  t.match(values, [{ problem: /has no "toString"/ }])
})
