/**
 * What a thread of Coterie starts with: nothing of the flags of the process that opened the cluster.
 *
 * Loaders, preloaded modules and inspectors, given on the command line or in NODE_OPTIONS, are for the opener's own code. A
 * thread would load them before its own first line, and its modules through them: it starts in a fraction of the time without.
 * Read by `NodeThread` and the pool.
 */

export interface ThreadEnvironment {
  execArgv: string[]
  env: Record<string, string | undefined>
}

/** The opener's environment as it is now, without NODE_OPTIONS, for `new Worker` and Piscina. */
export function threadEnvironment(): ThreadEnvironment {
  const { NODE_OPTIONS: _, ...env } = process.env
  return { execArgv: [], env }
}
