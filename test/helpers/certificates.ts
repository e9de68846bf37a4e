/** The test's own certificate authority and the certificates that it issues (openssl). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runOrThrow } from './command.ts'

/** PEM of a certificate and its key. */
export interface IssuedCertificate {
  readonly certificate: string
  readonly key: string
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export class TestAuthority {
  /** PEM of its own certificate. */
  readonly certificate: string
  readonly #key: string

  private constructor(certificate: string, key: string) {
    this.certificate = certificate
    this.#key = key
  }

  /** Makes an authority. */
  static async create(name = 'Test authority'): Promise<TestAuthority> {
    return inTemporary(async (directory) => {
      const own = ['-keyout', 'ca.key', '-out', 'ca.crt', '-subj', `/CN=${name}`, '-days', '2']
      const constraints = ['-addext', 'basicConstraints=critical,CA:TRUE']
      await runOrThrow('openssl', ['req', '-x509', ...newKey, ...own, ...constraints], { cwd: directory })
      const read = (file: string): string => readFileSync(join(directory, file), 'utf8')
      return new TestAuthority(read('ca.crt'), read('ca.key'))
    })
  }

  /** A certificate for 127.0.0.1 and localhost, and for `name` if it has a dot, or for a client. */
  issue(name: string, usage: 'serverAuth' | 'clientAuth' = 'serverAuth'): Promise<IssuedCertificate> {
    return inTemporary(async (directory) => {
      const path = (file: string): string => join(directory, file)
      const host = name.includes('.') ? `,DNS:${name}` : ''
      writeFileSync(path('ca.crt'), this.certificate)
      writeFileSync(path('ca.key'), this.#key)
      writeFileSync(path('ext'), `subjectAltName=IP:127.0.0.1,DNS:localhost${host}\nextendedKeyUsage=${usage}\n`)
      const request = ['req', '-new', ...newKey, '-keyout', 'key', '-out', 'csr', '-subj', `/CN=${name}`]
      await runOrThrow('openssl', request, { cwd: directory })
      const sign = ['x509', '-req', '-in', 'csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
      await runOrThrow('openssl', [...sign, '-days', '2', '-extfile', 'ext', '-out', 'crt'], { cwd: directory })
      return { certificate: readFileSync(path('crt'), 'utf8'), key: readFileSync(path('key'), 'utf8') }
    })
  }
}

async function inTemporary<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync('/tmp/b-ca-')
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
