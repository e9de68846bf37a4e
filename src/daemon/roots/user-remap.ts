/** Prepares `userns-remap`: the accounts, and the names of the mapping's roots. Checks that containers may pass the
 *  directories above their files. The roots are `<data-root>/<uid>.<gid>`, as in Docker, so that the files of different
 *  mappings stay apart. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf, invalidArgument, type Logger } from '../../base/index.ts'
import {
  type AccountFiles,
  type DaemonConfig,
  defaultRemapUser,
  freeSubordinateStart,
  hasSubordinateIds,
  parseUserRemap,
  type UserRemap,
  withRoots,
} from '../../config/index.ts'
import type { LayerMapping } from '../../snapshots/index.ts'
import { hostInfo, runCommand } from '../../sys/index.ts'

/** How many ids useradd(8) allocates. */
const rangeSize = 65_536
const commandTimeoutMs = 30_000

/** The mapping that the configuration asks for; undefined if containers have the host's ids. Creates the user of
 *  `default` and its ids if they are missing. Rejects with `invalidArgument` in Docker's words, also if other users may
 *  not pass a directory above the roots. */
export async function openUserRemap(config: DaemonConfig, logger: Logger): Promise<UserRemap | undefined> {
  if (config.usernsRemap === undefined) return undefined
  const isDefault = config.usernsRemap === 'default'
  if (isDefault) await ensureDefaultUser()
  const remap = parseUserRemap(isDefault ? defaultRemapUser : config.usernsRemap, accountFiles())
  if (remap === undefined) {
    logger.warn('root can not be remapped to itself: user namespaces are off', {})
    return undefined
  }
  checkKernel()
  for (const root of [config.dataRoot, config.execRoot]) {
    for (let path = dirname(root); path !== '/'; path = dirname(path)) checkPassable(path)
  }
  return remap
}

/** The configuration with the roots of a mapping, which are directories below the configured ones. */
export function remappedConfig(config: DaemonConfig, remap: UserRemap | undefined): DaemonConfig {
  if (remap === undefined) return config
  const name = `${remap.root.uid}.${remap.root.gid}`
  return withRoots(config, join(config.dataRoot, name), join(config.execRoot, name))
}

/** Options of the snapshotter by which containers under a mapping see their layers. */
export function layerMapping(
  { execRoot }: DaemonConfig,
  remap: UserRemap | undefined,
): { readonly mapping?: LayerMapping } {
  if (remap === undefined) return {}
  return { mapping: { mappings: remap.mappings, owner: remap.root, home: join(execRoot, 'layers') } }
}

function checkPassable(path: string): void {
  const { mode = 0o001 } = statSync(path, { throwIfNoEntry: false }) ?? {}
  if ((mode & 0o001) !== 0) return
  throw invalidArgument(
    `userns-remap: the users of containers can't reach their files below ${path}, whose mode is ${(mode & 0o7777).toString(8).padStart(4, '0')}: others need the right to search it (chmod o+x)`,
  )
}

function checkKernel(): void {
  const { kernelVersion } = hostInfo()
  const [major = 0, minor = 0] = kernelVersion.split('.').map((part) => Number.parseInt(part, 10))
  if (major > 5 || (major === 5 && minor >= 19)) return
  throw invalidArgument(`userns-remap needs ID-mapped layers of overlayfs: kernel ${kernelVersion} is older than 5.19`)
}

async function ensureDefaultUser(): Promise<void> {
  const name = defaultRemapUser
  if (
    !accountFiles()
      .passwd.split('\n')
      .some((line) => line.startsWith(`${name}:`))
  ) {
    await execute('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name])
  }
  const { subuid, subgid } = accountFiles()
  const start = freeSubordinateStart(subuid, subgid)
  const range = `${start}-${start + rangeSize - 1}`
  const missing = [
    ...(hasSubordinateIds(name, subuid) ? [] : ['--add-subuids', range]),
    ...(hasSubordinateIds(name, subgid) ? [] : ['--add-subgids', range]),
  ]
  if (missing.length > 0) await execute('usermod', [...missing, name])
}

async function execute(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(program, args, { timeoutMs: commandTimeoutMs })
  if (code !== 0) throw invalidArgument(`userns-remap: ${program} failed: ${stderr.trim()}`)
}

function accountFiles(): AccountFiles {
  const [passwd = '', group = '', subuid = '', subgid = ''] = ['passwd', 'group', 'subuid', 'subgid'].map(readHostFile)
  return { passwd, group, subuid, subgid }
}

function readHostFile(name: string): string {
  try {
    return readFileSync(join('/etc', name), 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}
