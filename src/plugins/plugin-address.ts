/** Finds plugins: files in the plugin directories say where each one listens, in the forms that Docker documents.
 *  https://docs.docker.com/engine/extend/plugin_api/ ("Plugin discovery") */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, invalidArgument, messageOf } from '../base/index.ts'

/** The address that a plugin listens on. */
export type PluginAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: PluginTls }

/** Paths of PEM files; '' for none. */
export interface PluginTls {
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly insecureSkipVerify: boolean
}

const suffixes = ['.sock', '.spec', '.json'] as const
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** The names of all plugins in the directories, sorted and without duplicates. Missing directories are skipped. */
export function listPlugins(directories: readonly string[]): string[] {
  const names = new Set<string>()
  for (const directory of directories) {
    for (const name of namesIn(directory)) {
      const suffix = suffixes.find((one) => name.endsWith(one))
      if (suffix !== undefined) names.add(name.slice(0, -suffix.length))
      // A plugin may have its own directory: NAME/NAME.sock.
      else if (suffixes.some((one) => exists(join(directory, name, name + one)))) names.add(name)
    }
  }
  return [...names].filter((name) => namePattern.test(name)).sort()
}

/** The address of a plugin, or undefined when no directory has a file for it. Throws `invalidArgument` for a file that
 *  can't be parsed. */
export function findPlugin(directories: readonly string[], name: string): PluginAddress | undefined {
  if (!namePattern.test(name)) return undefined
  for (const suffix of suffixes) {
    for (const directory of directories) {
      for (const path of [join(directory, name + suffix), join(directory, name, name + suffix)]) {
        if (!exists(path)) continue
        return suffix === '.sock' ? { kind: 'unix', path } : readAddress(path, suffix)
      }
    }
  }
  return undefined
}

function readAddress(path: string, suffix: '.spec' | '.json'): PluginAddress {
  try {
    const text = readFileSync(path, 'utf8')
    return suffix === '.spec' ? parseAddress(text.trim()) : parseDescription(text)
  } catch (cause) {
    throw invalidArgument(`plugin file ${path}: ${messageOf(cause)}`, { cause })
  }
}

function parseDescription(text: string): PluginAddress {
  const { Addr: address, TLSConfig: tls } = JSON.parse(text) as {
    readonly Addr?: unknown
    readonly TLSConfig?: Readonly<Record<string, unknown>> | null
  }
  if (typeof address !== 'string') throw new Error('"Addr" is missing')
  return parseAddress(address, tls ?? undefined)
}

/** Parses `unix:///path`, `tcp://host:port`, `http://…` or `https://…`. `tls` is the `TLSConfig` of a .json file.
 *  Throws for any other text. */
export function parseAddress(text: string, tls?: Readonly<Record<string, unknown>>): PluginAddress {
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length)
    if (!path.startsWith('/')) throw new Error(`"${text}" is not an absolute path`)
    return { kind: 'unix', path }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new Error(`"${text}" is not an address of a plugin (unix:///PATH or tcp://HOST:PORT)`)
  }
  const secure = tls !== undefined || url.protocol === 'https:'
  return {
    kind: 'tcp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    ...(secure ? { tls: tlsOf(tls ?? {}) } : {}),
  }
}

function tlsOf(tls: Readonly<Record<string, unknown>>): PluginTls {
  const path = (key: string): string => (typeof tls[key] === 'string' ? tls[key] : '')
  return {
    caFile: path('CAFile'),
    certFile: path('CertFile'),
    keyFile: path('KeyFile'),
    insecureSkipVerify: tls.InsecureSkipVerify === true,
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
    throw error
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
