/** Options of the local driver. They make a volume something that is mounted (a directory of the host, a tmpfs, a share
 *  of another machine), or limit the size of its directory. Names, rules and messages are Docker's.
 *  https://docs.docker.com/reference/cli/docker/volume/create/ ("Driver-specific options") */
import { lookup } from 'node:dns/promises'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { getSystemErrorMessage } from 'node:util'
import { type BerthError, errnoOf, internal, invalidArgument, messageOf } from '../../base/index.ts'
import { sizeInBytes } from '../../config/index.ts'
import { hasProjectQuotas, type Mount, mount, mountByProgram } from '../../sys/index.ts'
import { optionsFile } from '../content/paths.ts'
import { hidePasswords, missingOption, networkTypes, shareOptions, shareProblem } from './network-shares.ts'

/** The options by name, as the user wrote them. */
export type LocalOptions = Readonly<Record<string, string>>

const known: ReadonlySet<string> = new Set(['type', 'device', 'o', 'size'])
/** Limit for the mount of another machine's share. */
const networkTimeoutMs = 60_000

/** Throws `invalidArgument` unless these are valid options of the local driver, and the file system of `root`, the
 *  directory of the volumes, supports them. */
export function checkLocalOptions(name: string, options: LocalOptions, root: string): void {
  const fail = (why: string): BerthError => invalidArgument(`create ${name}: ${why}`)
  for (const option of Object.keys(options)) if (!known.has(option)) throw fail(`invalid option: "${option}"`)
  if (needsMount(options) || 'o' in options || 'type' in options || 'device' in options) {
    if (!options.device) throw fail('missing required option: "device"')
    if (!options.type) throw fail('missing required option: "type"')
  }
  if (options.size === undefined) return
  const size = sizeInBytes(options.size)
  if (size === undefined) throw fail(`invalid size: '${options.size}'`)
  if (size > 0 && !hasProjectQuotas(root)) throw fail('quota size requested but no quota support')
}

/** The size limit of a volume in bytes; 0 means none. */
export function sizeLimit(options: LocalOptions): number {
  return sizeInBytes(options.size ?? '0') ?? 0
}

/** True when a volume with these options has to be mounted before it is used. */
export function needsMount(options: LocalOptions): boolean {
  return Boolean(options.device || options.type)
}

/** Mounts on `target` what the options name. Throws `internal` with Docker's text. */
export async function mountLocal(options: LocalOptions, target: string): Promise<void> {
  const { type = '', device = '', o = '' } = options
  const given = (await resolveAddress(type, o)).split(',').filter((word) => word !== '')
  const words = shareOptions(type, given)
  const value: Mount = { type, source: await resolveDevice(type, device, o), options: words }
  try {
    const missing = missingOption(type, words)
    if (missing !== undefined) throw internal(missing)
    if (networkTypes.has(type)) await mountByProgram(value, target, { timeoutMs: networkTimeoutMs })
    else mount(value, target)
  } catch (cause) {
    const data = words.length === 0 ? '' : `, data: ${hidePasswords(words).join(',')}`
    const message = `failed to mount local volume: mount ${value.source}:${target}${data}: ${shareProblem(type, words, reasonOf(cause))}`
    throw internal(message, { cause })
  }
}

/** Resolves the host name in `addr`, because the kernel's NFS client takes only addresses. */
async function resolveAddress(type: string, o: string): Promise<string> {
  if (!/^(nfs4?|cifs|smb3)$/.test(type)) return o
  const address = /(?:^|,)addr=([^,]*)/.exec(o)?.[1] ?? ''
  if (address === '' || isIP(address) !== 0) return o
  const resolved = await addressOf(address)
  return o.replace(`addr=${address}`, `addr=${resolved}`)
}

/** Resolves the host name in the device of a CIFS share, unless `addr` is given. */
async function resolveDevice(type: string, device: string, o: string): Promise<string> {
  if (!/^(cifs|smb3)$/.test(type) || /(?:^|,)addr=/.test(o)) return device
  const [, host = '', path = ''] = /^\/\/([^/]+)(\/.*)?$/.exec(device) ?? []
  if (host === '' || isIP(host) !== 0) return device
  return `//${await addressOf(host)}${path}`
}

async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host, { order: 'ipv4first' })).address
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOTFOUND' ? `lookup ${host}: no such host` : messageOf(cause)
    throw internal(`error resolving passed in network volume address: ${why}`, { cause })
  }
}

function reasonOf(cause: unknown): string {
  const { errno } = cause as { errno?: unknown }
  return typeof errno === 'number' ? getSystemErrorMessage(errno) : messageOf(cause)
}

/** Writes the options file of a volume, in the format of Docker's local driver. */
export function writeOptions(root: string, name: string, options: LocalOptions): void {
  const { type = '', device = '', o = '', size = '' } = options
  const text = JSON.stringify({
    MountType: type,
    MountOpts: o,
    MountDevice: device,
    Quota: { Size: sizeLimit(options) },
    // As the user wrote it, for `inspect`.
    Size: size,
  })
  const path = optionsFile(root, name)
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** The options of a volume, read from its file; empty when there is no file. */
export function readOptions(root: string, name: string): LocalOptions {
  let text: string
  try {
    text = readFileSync(optionsFile(root, name), 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {}
    throw error
  }
  const values = JSON.parse(text) as Readonly<Record<string, unknown>>
  const { MountType: type, MountOpts: o, MountDevice: device, Size: size } = values
  return Object.fromEntries(
    Object.entries({ device, o, size, type }).filter((pair): pair is [string, string] => {
      return typeof pair[1] === 'string' && pair[1] !== ''
    }),
  )
}
