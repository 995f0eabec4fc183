/** What the page asks of the server: reads, and actions, which need the token of the link that `coterie start` printed. */

/** In this tab alone, and gone with it. */
const STORED = 'coterie-token'

export interface Replica {
  readonly node: string
  readonly role: 'owner' | 'pending' | 'standby'
  readonly answered: boolean
  readonly damaged: boolean
  readonly versions: readonly { readonly stamp: string; readonly at: string; readonly valueBytes: number | null }[]
}

export interface KeyVersions {
  readonly slot: number
  readonly partition: number
  readonly owners: readonly string[]
  readonly replicas: readonly Replica[]
}

/** Takes it out of the address, so that it is not shown, copied or kept in the history. */
export function takeToken(): string | undefined {
  const [, given] = /^#token=(.+)$/.exec(location.hash) ?? []
  if (given !== undefined) {
    sessionStorage.setItem(STORED, given)
    history.replaceState(null, '', location.pathname)
  }
  return sessionStorage.getItem(STORED) ?? undefined
}

/** Errors: an `Error` with what the server says. */
export async function act(token: string, name: string, members: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return answerOf(await fetch(`/v1/${name}`, { method: 'POST', headers, body: JSON.stringify(members) }))
}

/** Errors: an `Error` with what the server says. */
export async function versionsOf(key: string): Promise<KeyVersions> {
  return (await answerOf(await fetch(`/v1/versions?${new URLSearchParams({ key })}`))) as KeyVersions
}

async function answerOf(response: Response): Promise<unknown> {
  const body = (await response.json()) as { error?: { message?: string } }
  if (!response.ok) throw new Error(body.error?.message ?? `it failed with ${response.status}`)
  return body
}
