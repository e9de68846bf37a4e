/** CA and client certificates for each registry, in Docker's layout: below `certs.d/HOST[:PORT]/`, each `*.crt` is a
 *  trusted CA and each `NAME.cert` with `NAME.key` is a client certificate. They are read when they are used, so a
 *  change needs no restart.
 *  https://docs.docker.com/engine/security/certificates/ */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BerthError, errnoOf, messageOf } from '../../../base/index.ts'

/** The certificates in a host's directory, in PEM. */
export interface HostCertificates {
  /** Changes whenever a file changes. */
  readonly signature: string
  readonly authorities: readonly string[]
  readonly clients: readonly { readonly cert: string; readonly key: string }[]
}

const none: HostCertificates = { signature: '', authorities: [], clients: [] }
/** The certificates by directory, so that the files of an unchanged directory are not read again. */
const read = new Map<string, HostCertificates>()

/** The certificates of the first of `hosts` that has a directory in one of `roots`. Throws `unavailable` with Docker's
 *  messages if the directory can't be read or a pair is incomplete. */
export function readHostCertificates(roots: readonly string[], hosts: readonly string[]): HostCertificates {
  for (const host of hosts) {
    if (!isFileName(host)) continue
    for (const root of roots) {
      const found = readDirectory(join(root, host))
      if (found !== undefined) return found
    }
  }
  return none
}

function isFileName(host: string): boolean {
  return host !== '' && host !== '.' && host !== '..' && !host.includes('/')
}

function readDirectory(directory: string): HostCertificates | undefined {
  try {
    const names = readdirSync(directory)
      .filter((name) => /\.(?:crt|cert|key)$/.test(name))
      .sort()
    const signature = [directory, ...names.map((name) => changeOf(join(directory, name), name))].join('\n')
    const known = read.get(directory)
    if (known?.signature === signature) return known
    const fresh = readFiles(directory, names, signature)
    read.set(directory, fresh)
    return fresh
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (error instanceof BerthError) throw error
    throw new BerthError('unavailable', `cannot read certificates: ${messageOf(error)}`, { cause: error })
  }
}

function changeOf(path: string, name: string): string {
  const { mtimeMs, size, ino } = statSync(path)
  return `${name} ${mtimeMs} ${size} ${ino}`
}

function readFiles(directory: string, names: readonly string[], signature: string): HostCertificates {
  const text = (name: string) => readFileSync(join(directory, name), 'utf8')
  const authorities = names.filter((name) => name.endsWith('.crt')).map(text)
  const clients = names
    .filter((name) => name.endsWith('.cert'))
    .map((name) => {
      const keyName = `${name.slice(0, -'.cert'.length)}.key`
      if (names.includes(keyName)) return { cert: text(name), key: text(keyName) }
      throw missing(
        `missing key ${keyName} for client certificate ${name}. CA certificates must use the extension .crt`,
      )
    })
  for (const name of names.filter((one) => one.endsWith('.key'))) {
    const certName = `${name.slice(0, -'.key'.length)}.cert`
    if (!names.includes(certName)) throw missing(`missing client certificate ${certName} for key ${name}`)
  }
  return { signature, authorities, clients }
}

function missing(message: string): BerthError {
  return new BerthError('unavailable', message)
}
