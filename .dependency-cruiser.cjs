// Imports go one way: protocol <- shared <- storage <- actors <- src/*.ts. `npm run check:imports` holds every rule here.

const machines = 'handoff|repair|membership|supervision|coordinator'

/** The files of src/protocol that may put several machines together. */
const composers = [
  '^src/protocol/(dynamo-node|node-drains|node-machines|node-requests|node-transfers|gateway|invariants)[.]ts$',
  '^src/protocol/supervision/supervisor-core[.]ts$',
  '^src/protocol/coordinator/',
]

/** src/cluster.ts, src/open-cluster.ts, src/client.ts, src/level.ts, src/index.ts: the public door. */
const door = '^src/[^/]+[.]ts$'

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbid(
      'protocol-stands-alone',
      'src/protocol decides, and touches nothing: no other folder, no package, no node: builtin.',
      { path: '^src/protocol/' },
      { pathNot: '^src/protocol/' },
    ),
    forbid(
      'machines-do-not-know-each-other',
      'A machine knows itself and the shared pieces (ids, messages, ring, versions, ...); only the composers join several.',
      { path: `^src/protocol/(${machines})/`, pathNot: composers },
      { path: [`^src/protocol/(${machines})/`, '^src/protocol/replica[.]ts$'], pathNot: '^src/protocol/$1/' },
    ),
    forbid(
      'shared-pieces-know-no-machine',
      'Below the machines: they may name the types of one (a message carries them), never call it.',
      { path: '^src/protocol/', pathNot: [`^src/protocol/(${machines})/`, ...composers] },
      { path: `^src/protocol/(${machines})/`, dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'composers-are-on-top',
      'Nothing in the protocol imports what composes the machines.',
      {
        path: '^src/protocol/',
        pathNot: '^src/protocol/(dynamo-node|node-drains|node-machines|node-transfers|gateway|invariants)[.]ts$',
      },
      {
        path: '^src/protocol/(dynamo-node|node-drains|node-machines|node-requests|node-transfers|gateway)[.]ts$',
        dependencyTypesNot: ['type-only'],
      },
    ),
    forbid(
      'shared-is-low',
      'src/shared imports src/protocol and itself.',
      { path: '^src/shared/' },
      { path: '^(src|actors|bench|test)/', pathNot: '^src/(protocol|shared)/' },
    ),
    forbid(
      'storage-is-below-actors',
      'src/storage imports src/protocol, src/shared and itself.',
      { path: '^src/storage/' },
      { path: '^(src|actors|bench|test)/', pathNot: '^src/(protocol|shared|storage)/' },
    ),
    forbid(
      'sim-is-not-the-real-world',
      'That the simulator runs without the actors is the proof that the seam is real. It uses the memory store.',
      { path: '^src/sim/' },
      { path: ['^actors/', door, '^src/cli/', '^src/storage/level-', '^(bench|test)/'] },
    ),
    forbid(
      'actors-are-below-the-door',
      'The door opens on the actors, never the other way round.',
      { path: '^actors/' },
      { path: [door, '^src/(cli|sim)/', '^(bench|test)/'] },
    ),
    forbid(
      'nothing-imports-the-command',
      'src/cli is a user of the package like any other.',
      { path: '^(src|actors)/', pathNot: '^src/cli/' },
      { path: '^src/cli/' },
    ),
    forbid(
      'no-test-code-in-the-product',
      'What ships knows neither tests nor benchmarks.',
      { path: '^(src|actors)/' },
      { path: '^(bench|test)/' },
    ),
    forbid(
      'bench-uses-the-public-door',
      'A benchmark measures what a user gets. Micro benchmarks and the simulation of gossip may touch the protocol; that of the dashboard, its server.',
      { path: '^bench/', pathNot: '^bench/(micro|gossip|dashboard)/' },
      { path: '^(src|actors|test)/', pathNot: '^src/(index|observe)[.]ts$' },
    ),
    forbid(
      'micro-bench-measures-one-part',
      'The public door, or one part below it: the protocol, a store, the pool. Never what joins them.',
      { path: '^bench/(micro|gossip)/' },
      { path: '^(src|actors|test)/', pathNot: ['^src/index[.]ts$', '^src/(protocol|storage)/', '^actors/pool[.]ts$'] },
    ),
    forbid(
      'one-importer-of-classic-level',
      'LevelDB is behind the Store interface.',
      { path: '^(src|actors)/', pathNot: '^src/storage/' },
      { path: 'node_modules/classic-level' },
    ),
    forbid(
      'one-importer-of-comlink',
      'Comlink calls hang when a worker dies: control.ts alone races them against a deadline and the exit.',
      { path: '^(src|actors)/', pathNot: '^actors/control[.]ts$' },
      { path: 'node_modules/comlink' },
    ),
    forbid(
      'one-importer-of-piscina',
      'The pool is for stateless work; pool.ts alone decides what that is.',
      { path: '^(src|actors)/', pathNot: '^actors/pool[.]ts$' },
      { path: 'node_modules/piscina' },
    ),
    forbid(
      'one-importer-of-ioredis',
      'It sends again what may have been done; connection.ts alone makes its connections, which it may not make anew.',
      { path: '^(src|actors)/', pathNot: '^src/engines/redis-cluster/connection[.]ts$' },
      { path: 'node_modules/ioredis', dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'one-importer-of-prom-client',
      'It is loaded with the first scrape; prometheus.ts alone loads it.',
      { path: '^(src|actors)/', pathNot: '^src/observe/prometheus[.]ts$' },
      { path: 'node_modules/prom-client' },
    ),
    forbid(
      'one-importer-of-pino',
      'A program brings its own logger; the command alone has one.',
      { path: '^(src|actors)/', pathNot: '^src/cli/json-log[.]ts$' },
      { path: 'node_modules/pino' },
    ),
    forbid(
      'nobody-loads-open-telemetry',
      'open-telemetry.ts requires the copy of the program, once it has registered an SDK; all others name its types.',
      { path: '^(src|actors)/' },
      { path: 'node_modules/@opentelemetry', dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'observing-is-beside-the-door',
      'src/observe looks at a cluster through its types: any engine, from any thread.',
      { path: '^src/observe/' },
      { path: [door, '^actors/', '^src/(cli|sim|storage|engines|opening)/', '^(bench|test)/'] },
    ),
    forbid(
      'engines-are-beside-the-actors',
      'An engine stands behind the door. Of the embedded one it uses the counters of requests.',
      { path: '^src/engines/' },
      {
        path: [door, '^actors/', '^src/(cli|sim|storage)/', '^(bench|test)/'],
        pathNot: '^actors/runtime/request-counters[.]ts$',
      },
    ),
    forbid(
      'engines-are-behind-the-door',
      'The door alone opens them; and a migration, which goes from one to another.',
      { path: '^(src|actors)/', pathNot: ['^src/engines/', '^src/migration/', door, '^src/cli/'] },
      { path: '^src/engines/' },
    ),
    forbid(
      'the-page-runs-in-a-browser',
      'It knows the format that it is told in, and nothing of the process that tells it.',
      { path: '^src/dashboard/' },
      { path: '.', pathNot: ['^src/dashboard/', 'node_modules/(preact|uplot)/'] },
    ),
    forbid(
      'the-page-is-served-by-the-command',
      'Its format is known to those who serve it; the page itself is a file to them.',
      { path: '^(src|actors)/', pathNot: ['^src/dashboard/', '^src/cli/http/'] },
      { path: '^src/dashboard/' },
    ),
    forbid(
      'no-development-packages-in-the-product',
      'They are not installed at the user. The demo loads its data set with import() and says what is missing; the page is bundled.',
      { path: '^(src|actors)/', pathNot: ['^src/cli/demo/', '^src/dashboard/page/'] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'], pathNot: 'node_modules/@types/' },
    ),
    forbid(
      'no-cycles',
      'A cycle hides which of two files is the lower one. (Names of types alone make none: nothing is run by them.)',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    forbid('no-unresolvable', 'An import that leads nowhere.', {}, { couldNotResolve: true }),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}
