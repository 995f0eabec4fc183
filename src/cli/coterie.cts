#!/usr/bin/env node
/**
 * The `coterie` bin. It exists for one reason: libuv reads UV_THREADPOOL_SIZE at the first asynchronous call of the
 * process, every node's LevelDB works on that pool, and Node 20 has made such a call before it runs the first line of an ES
 * module (measured: set in main.ts it had no effect). A CommonJS entry runs early enough. What the user set stays.
 *
 * `start` runs in a child of a small parent, which is chosen here so that the parent loads nothing else.
 */

const nodesAsked = /(?:^| )--nodes[= ](\d{1,2})(?: |$)/.exec(process.argv.slice(2).join(' '))
// Two threads more than nodes, so that a node whose disk stalls leaves room for the others and for the caller's own files.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, Number(nodesAsked?.[1] ?? 5) + 2))

const args = process.argv.slice(2)
const isAsked = (...names: string[]) => names.some((name) => args.includes(name))
if (args[0] === 'start' && !isAsked('--no-parent', '--help', '-h')) {
  void import('./parent/parent.js').then(({ runUnderParent }) => runUnderParent(__filename, args))
} else void import('./main.js')
