import { test } from 'tap'
import { errorLines } from '../../src/cli/report-error.js'
import {
  byteSize,
  bytesText,
  count,
  displayWidth,
  duration,
  plural,
  tableLines,
  truncate,
} from '../../src/cli/terminal/format.js'
import { prefixRange } from '../../src/cli/terminal/prefix-range.js'
import { splitWords } from '../../src/cli/terminal/words.js'
import { CoterieError } from '../../src/shared/errors.js'

test('figures', async (t) => {
  t.equal(count(83_039.4), '83,039')
  t.equal(plural(1, 'batch', 'batches'), '1 batch')
  t.equal(plural(0, 'key'), '0 keys')
  t.strictSame([0.42, 12.34, 123.4, 1_234].map(duration), ['0.42 ms', '12.3 ms', '123 ms', '1.23 s'])
  t.strictSame([999, 1_234, 1_234_567, 5e9].map(byteSize), ['999 B', '1.2 kB', '1.2 MB', '5.0 GB'])
})

test('stored bytes cannot steer the terminal', async (t) => {
  t.equal(bytesText(Buffer.from('Zürich')), 'Zürich')
  t.equal(bytesText(Buffer.from('\x1b[2J\ta\nb\x9b')), '\\x1b[2J\\ta\\nb\\x9b')
  t.equal(bytesText(Buffer.of(0xff, 0x00)), '0xff00')
})

test('widths: East Asian characters take two cells', async (t) => {
  t.equal(displayWidth('東京 x'), 6)
  t.equal(truncate('東京都', 5), '東京…')
  t.equal(truncate('abc', 3), 'abc')
})

test('tables line up', async (t) => {
  const columns = [
    { title: 'id', align: 'left' },
    { title: 'keys', align: 'right', width: 6 },
  ] as const
  t.strictSame(
    tableLines(columns, [
      ['node1', '7'],
      ['n', '1,000'],
    ]),
    ['id       keys', 'node1       7', 'n       1,000'],
  )
})

test('prefix range: exactly the keys that begin with it, whatever bytes follow', async (t) => {
  t.strictSame(prefixRange(''), {})
  const { gte, lt } = prefixRange('ab')
  t.same(gte, Buffer.from('ab'))
  t.same(lt, Buffer.from('ac'))
  const after = Buffer.concat([Buffer.from('ab'), Buffer.of(0xff, 0xff)])
  t.ok(lt !== undefined && after.compare(lt) < 0, 'bytes 0xff behind the prefix are inside')
})

test('words: quotes keep blanks, a backslash keeps a quote', async (t) => {
  t.strictSame(splitWords(`put "a key" it\\'s  'x "y"' ""`), {
    words: ['put', 'a key', "it's", 'x "y"', ''],
    unclosed: false,
  })
  t.match(splitWords('get "a'), { words: ['get', 'a'], unclosed: true })
  t.strictSame(splitWords('  '), { words: [], unclosed: false })
})

test('errors: code, what to do, what was underneath', async (t) => {
  const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  const [first, advice, because] = errorLines(new CoterieError('STORE_FAILED', 'node2 refused', {}, { cause }))
  t.equal(first, 'STORE_FAILED: node2 refused')
  t.match(advice, /disks are full/)
  t.equal(because, 'because: ENOSPC: no space left')
  t.match(errorLines(new CoterieError('LOCATION_LOCKED')).join('\n'), /running `coterie start` holds the folder/)
})
