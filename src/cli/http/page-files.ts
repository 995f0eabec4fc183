/** The page's files, as the build has made them: a few that never change while this runs, so they are read once and kept. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { SAFE_HEADERS } from './guard.js'

const FOLDER = new URL('../../dashboard/served/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** `gzip;q=0` asks for anything but it. */
const GZIP_WANTED = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i

interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  /** The same, as gzip, where the build has made it. */
  readonly gzip: Buffer | undefined
  readonly tag: string
}

export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>

  private constructor(files: ReadonlyMap<string, PageFile>) {
    this.#files = files
  }

  /** Errors: those of the file system. */
  static async read(): Promise<PageFiles> {
    const names = await readdir(FOLDER)
    const files = names.filter((name) => TYPES[extname(name)] !== undefined).map((name) => readPageFile(name, names))
    return new PageFiles(new Map(await Promise.all(files)))
  }

  /** False: there is no such file. */
  send(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const file = this.#files.get(path === '/' ? '/index.html' : path)
    if (file === undefined) return false
    const head = { ...SAFE_HEADERS, 'cache-control': 'no-cache', etag: file.tag, vary: 'accept-encoding' }
    if (request.headers['if-none-match'] === file.tag) {
      response.writeHead(304, head).end()
      return true
    }
    const isPacked = file.gzip !== undefined && GZIP_WANTED.test(String(request.headers['accept-encoding'] ?? ''))
    const body = isPacked ? file.gzip : file.bytes
    const length = { 'content-type': file.type, 'content-length': body?.length ?? 0 }
    response.writeHead(200, { ...head, ...length, ...(isPacked ? { 'content-encoding': 'gzip' } : {}) })
    response.end(request.method === 'HEAD' ? undefined : body)
    return true
  }
}

async function readPageFile(name: string, names: readonly string[]): Promise<[string, PageFile]> {
  const bytes = await readFile(new URL(name, FOLDER))
  const packed = `${name}.gz`
  const gzip = names.includes(packed) ? await readFile(new URL(packed, FOLDER)) : undefined
  const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return [`/${name}`, { type: TYPES[extname(name)] ?? '', bytes, gzip, tag }]
}
