import { test } from 'tap'
import { parseCommand } from '../../src/cli/args.js'
import type { Command } from '../../src/cli/commands.js'
import { EXAMPLES } from '../../src/cli/examples.js'
import { EXIT_CODES } from '../../src/cli/exit-codes.js'
import { COMMAND_NAMES } from '../../src/cli/flags.js'
import { commandHelp, overview } from '../../src/cli/help.js'
import { whereOf } from '../../src/cli/redis-target.js'
import { splitWords } from '../../src/cli/terminal/words.js'

test('start: passes on only what was said', async (t) => {
  t.strictSame(parseCommand(['start']), {
    name: 'start',
    cluster: { location: './data' },
    json: false,
    faults: undefined,
    http: undefined,
  })
  t.strictSame(
    parseCommand([
      'start',
      '-d',
      'x',
      '--nodes',
      '3',
      '--n',
      'all',
      '--r',
      '1',
      '--set',
      'hungAfterMs=500',
      '--no-faults',
    ]),
    {
      name: 'start',
      cluster: { location: 'x', nodes: 3, replication: { n: 'all', r: 1 }, hungAfterMs: 500 },
      json: false,
      faults: false,
      http: undefined,
    },
  )
  t.match(parseCommand(['start', '--http', '8080']), { http: { host: '127.0.0.1', port: 8080 } })
  t.throws(() => parseCommand(['start', '--http', 'here']), /--http is "here"; allowed: a port, or HOST:PORT/)
})

test('get, put: r and w are options of the call, not of the cluster', async (t) => {
  t.strictSame(parseCommand(['get', 'k', '--r', '1', '--sloppy']), {
    name: 'get',
    cluster: { location: './data' },
    json: false,
    key: 'k',
    call: { r: 1, sloppy: true },
  })
  t.match(parseCommand(['put', 'k', '-', '--w', '3', '--timeout', '50']), { value: '-', call: { w: 3, timeoutMs: 50 } })
})

test('--to: a store in a Redis Cluster, instead of a folder, with what TLS needs; a password is not repeated', async (t) => {
  const url = 'redis-cluster://ada@h:1,i:2?name=shop'
  t.strictSame(parseCommand(['get', 'k', '--to', url, '--tls-ca', 'ca.pem', '--tls-name', 'redis.test']), {
    name: 'get',
    cluster: { location: './data' },
    json: false,
    redis: { url, caFile: 'ca.pem', serverName: 'redis.test' },
    key: 'k',
    call: {},
  })
  t.match(parseCommand(['migrate', '-d', 'x', '--to', url]), { cluster: { location: 'x' }, to: { url } })
  const load = parseCommand(['load', '-', '--format', 'csv', '--to', url]) as Extract<Command, { name: 'load' }>
  t.equal(whereOf(load), 'redis-cluster://h:1,i:2?name=shop')
  t.throws(() => parseCommand(['get', 'k', '--to', url, '-d', 'x']), /say one of them/)
  t.throws(() => parseCommand(['get', 'k', '--tls-ca', 'ca.pem']), /for what --to names/)
  t.throws(() => parseCommand(['get', 'k', '--to', url, '--tls-key', 'key.pem']), /belong together/)
  for (const command of [['start'], ['top'], ['backup', 'dir'], ['join'], ['crash', 'node1']])
    t.throws(() => parseCommand([...command, '--to', url]), /unknown option/)
  for (const wrong of [
    'redis://a:secret@h:1',
    'redis-cluster://a:secret@h:1?x=secret',
    'a:secret@h',
    'redis-cluster://a:se/cret@h',
  ])
    try {
      parseCommand(['migrate', '--to', wrong])
      t.fail(wrong)
    } catch (error) {
      t.match((error as Error).message, /allowed: redis-cluster:/)
      t.notMatch((error as Error).message, /secret|cret@/)
    }
})

test('load: the format comes from the name of the file', async (t) => {
  const formatOf = (file: string) => (parseCommand(['load', file]) as Extract<Command, { name: 'load' }>).format
  t.equal(formatOf('a.tsv'), 'tsv')
  t.equal(formatOf('a.CSV.gz'), 'csv')
  t.equal(formatOf('a.ndjson'), 'jsonl')
  t.match(parseCommand(['load', '-', '--format', 'csv', '--delimiter', ';', '--no-header', '--key', '2']), {
    file: '-',
    delimiter: ';',
    header: false,
    keyColumn: '2',
    badLinesMax: 0,
  })
})

test('what is wrong is named, with what is allowed', async (t) => {
  const wrong: readonly [readonly string[], RegExp][] = [
    [['begin'], /unknown command "begin"; the commands are start, load/],
    [['start', '--nodez', '3'], /unknown option --nodez; start knows --location, --nodes/],
    [['start', '--nodes', 'five'], /--nodes is "five"; allowed: a whole number from 1 to 64/],
    [['start', '--nodes', '65'], /--nodes is "65"/],
    [['start', '--partitions', '100'], /`partitions` is 100; allowed: a power of two/],
    [['start', '--r', '4'], /`replication.r` is 4/],
    [['start', '--durability', 'ram'], /--durability is "ram"; allowed: process or disk/],
    [['start', '--set', 'speed=9'], /--set is "speed=9"; allowed: NAME=NUMBER, where NAME is one of nodes/],
    [['start', '--set', 'nodeHeapMb=1'], /`nodeHeapMb` is 1/],
    [['start', 'now'], /unexpected "now"; start takes nothing but options/],
    [['sim', '--seed', '1', '--seeds', '3'], /--seed is one seed; --seeds and --from are for many/],
    [['get'], /KEY is missing/],
    [['put', 'k'], /VALUE is missing/],
    [['get', 'k', '--limit', '3'], /unknown option --limit/],
    [['load', 'a.txt'], /a.txt does not end in .tsv, .csv or .jsonl/],
    [['load', '-'], /standard input has no name/],
    [['load', 'a.csv', '--delimiter', '::'], /--delimiter is "::"; allowed: one character/],
    [['load', 'a.csv', '--max-errors', '-1'], /max-errors/],
    [['plan'], /say --join, --leave or both/],
    [['plan', '--join', 'one'], /--join is "one"; allowed: how many nodes \(1 to 64\), or their ids as node6,node7/],
    [['join', '0'], /COUNT is "0"; allowed/],
    [['leave'], /NODES is missing/],
    [['leave', 'node1;node2'], /NODES is "node1;node2"; allowed: ids of nodes between commas/],
    [['hang', 'node1', 'long'], /MS is "long"; allowed: a whole number from 1 to 600000/],
  ]
  for (const [args, message] of wrong)
    t.throws(() => parseCommand(args), { name: 'UsageError', message }, args.join(' '))
})

test('help and version are found everywhere', async (t) => {
  t.strictSame(parseCommand([]), { name: 'help' })
  t.strictSame(parseCommand(['--help']), { name: 'help' })
  t.strictSame(parseCommand(['--version']), { name: 'version' })
  for (const name of COMMAND_NAMES) {
    t.strictSame(parseCommand([name, '--help']), { name: 'help', topic: name })
    t.match(overview(), name)
    t.match(commandHelp(name), /--help/)
  }
})

test('help: every exit code is in it, and each command has examples that can be called', async (t) => {
  for (const [code, meaning] of EXIT_CODES)
    t.match(overview(), new RegExp(`^ +${code} {2}${meaning.slice(0, 10)}`, 'm'))
  for (const name of COMMAND_NAMES) {
    t.ok(EXAMPLES[name].length > 0, name)
    for (const [line] of EXAMPLES[name]) {
      t.match(commandHelp(name), `  ${line}\n`)
      const [, args = ''] = /coterie ([^|<>)]*)/.exec(line) ?? []
      t.equal(parseCommand(splitWords(args).words).name, name, line)
    }
  }
})
