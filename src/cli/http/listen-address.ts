/** Where the dashboard listens, as it is said on the command line: `8080` is this machine only, `HOST:8080` whoever reaches HOST. */

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

const LOOPBACK = '127.0.0.1'
const PORT_MAX = 65_535

/** Undefined: it is none. Port 0: any free one. */
export function listenAddressOf(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([\da-fA-F:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = digits === '' ? Number.NaN : Number(digits)
  return port <= PORT_MAX ? { host: bracketed ?? plain ?? LOOPBACK, port } : undefined
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** As it stands in an address. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
