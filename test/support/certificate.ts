/** A certificate of a test's own, made by openssl, which signs itself; whoever trusts it trusts everything that shows it. Called by tests. */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** For which the certificate is, and for no address. */
export const CERTIFICATE_NAME = 'redis.test'

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** PEM text. */
  readonly cert: string
  readonly key: string
}

export async function makeCertificate(folder: string): Promise<Certificate> {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', `/CN=${CERTIFICATE_NAME}`, '-addext', `subjectAltName=DNS:${CERTIFICATE_NAME}`]
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...names, '-out', certFile, '-keyout', keyFile])
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
  return { certFile, keyFile, cert, key }
}
