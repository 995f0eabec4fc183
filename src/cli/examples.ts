/** What each command's help shows: lines that work as they stand, and what they do. */

import type { CommandName } from './flags.js'

type Example = readonly [line: string, about: string]

export const EXAMPLES: Readonly<Record<CommandName, readonly Example[]>> = {
  start: [
    ['coterie start', 'five nodes in ./data, three copies of everything'],
    [
      'coterie start -d /srv/kv --nodes 7 --durability disk',
      'seven nodes; each write on the disk before it is acknowledged',
    ],
    ['coterie start --http 8080 --faults', 'with the dashboard at http://127.0.0.1:8080, which may inject faults'],
    ['coterie start --n all --faults', 'every node a full copy; every fault may be injected'],
  ],
  load: [
    ['coterie load cities.tsv.gz', 'key: the first column; value: the row as JSON'],
    ['coterie load users.csv --key id --value mail --max-errors 10', 'two columns; up to ten bad lines are skipped'],
    ['cat events.jsonl | coterie load - --format jsonl', 'key: the first member'],
  ],
  import: [
    ['coterie import --level ./old-db', 'every record of the LevelDB folder, under the same keys, into ./data'],
    ['coterie import --level ./old-db --max-errors 10', 'records that are too long are skipped, ten at most'],
  ],
  export: [['coterie export --level ./new-db', 'a folder that any program with classic-level opens']],
  get: [
    ['coterie get user:7', 'the value, or exit code 3'],
    ['coterie get user:7 --r 1 --timeout 50', 'one owner is enough; answer within 50 ms or not at all'],
  ],
  put: [
    ['coterie put user:7 Ada', 'a majority of the owners has it'],
    ['coterie put photo:7 - < photo.jpg', 'the value from a file'],
    ['coterie put user:7 Ada --w 3', 'all three owners'],
  ],
  del: [['coterie del user:7', 'a key that is not there is no error']],
  scan: [
    ['coterie scan user: --limit 10', 'the first ten keys that begin with user:'],
    ['coterie scan --reverse --json', 'everything, from the last key, a line of JSON each'],
  ],
  locate: [['coterie locate user:7', 'which nodes have it']],
  status: [
    ['coterie status', 'who owns what, drawn'],
    ['coterie status --json', 'the same for a program'],
  ],
  top: [
    ['coterie top', 'until q'],
    ['coterie top --count 1 --interval 10000 --json', 'ten seconds, as one line of JSON'],
  ],
  plan: [
    ['coterie plan --join 2', 'what two more nodes would cost'],
    ['coterie plan --join node6 --leave node2', 'replace a node'],
  ],
  join: [
    ['coterie join', 'one more node'],
    ['coterie join 2 --standby', 'two hot standbys'],
  ],
  leave: [['coterie leave node2', 'its share goes to the others first']],
  backup: [['coterie backup /backups/monday', 'while the cluster serves']],
  restore: [
    ['coterie restore /backups/monday --data ./new', 'as many nodes as there were'],
    ['coterie restore /backups/monday --data ./new --nodes 3 --without node2', 'of the databases that are whole'],
  ],
  verify: [
    ['coterie verify /backups/monday', 'exit code 1 if anything is wrong'],
    ['coterie verify ./data', 'the stores of a closed cluster'],
  ],
  crash: [['coterie crash node2', 'watch it come back: coterie top']],
  hang: [['coterie hang node3 5000', 'past hungAfterMs it is terminated and restarted']],
  bench: [
    ['coterie bench', 'a temporary cluster of five nodes'],
    [
      'coterie bench -d ./data --seconds 10 --concurrency 64',
      'the cluster that is running there, under keys of its own',
    ],
  ],
  sim: [
    ['coterie sim --seeds 1000', 'a thousand simulated runs, each with its own faults'],
    ['coterie sim --seed 42 --trace', 'everything that happens in one of them'],
  ],
  demo: [['coterie demo', 'about half a minute']],
  completion: [
    ['source <(coterie completion bash)', 'in ~/.bashrc'],
    ['source <(coterie completion zsh)', 'in ~/.zshrc, after compinit'],
    ['coterie completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
}
