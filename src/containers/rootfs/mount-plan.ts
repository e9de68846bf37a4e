/** Parses `-v`, `--mount`, `--tmpfs` and the image's VOLUMEs into one list of mounts. Pure: nothing is created here. */
import { posix } from 'node:path'
import type { ContainerConfig, HostConfig, Mount } from '../../api/index.ts'
import { type BerthError, invalidArgument, newId } from '../../base/index.ts'
import { checkVolumeName } from '../../volumes/index.ts'
import type { ContainerMount } from '../record/container-record.ts'

/** A mount whose source must still be prepared. `copyUp`: fill an empty volume with the image's files at the
 *  destination. */
export interface PlannedMount extends ContainerMount {
  readonly copyUp?: boolean
  readonly volumeLabels?: Readonly<Record<string, string>>
  /** Driver for a volume that does not exist yet; default `local`. */
  readonly volumeDriver?: string
  readonly volumeOptions?: Readonly<Record<string, string>>
  /** If the bind source is missing, make it as a directory (`-v` does; `--mount` refuses). */
  readonly makeSource?: boolean
}

/** Mount flags, and the options of tmpfs(5). */
const tmpfsOption =
  /^(ro|rw|(no)?(suid|dev|exec|atime|diratime|relatime|strictatime)|suid|a?sync|dirsync|(no)?mand|r?(private|shared|slave|unbindable)|(size|mode|uid|gid|nr_inodes|nr_blocks|mpol|huge)=.+)$/
const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

/** All mounts, parents before children. Throws `invalidArgument` in Docker's words. */
export function planMounts(
  config: ContainerConfig,
  hostConfig: HostConfig,
  inherited: readonly ContainerMount[] = [],
): readonly PlannedMount[] {
  const byDestination = new Map<string, PlannedMount>()
  const add = (mount: PlannedMount): void => {
    if (byDestination.has(mount.destination)) throw invalidArgument(`Duplicate mount point: ${mount.destination}`)
    byDestination.set(mount.destination, mount)
  }
  const driver = hostConfig.VolumeDriver ? { volumeDriver: hostConfig.VolumeDriver } : {}
  for (const bind of hostConfig.Binds ?? []) add({ ...driver, ...parseBind(bind) })
  for (const mount of hostConfig.Mounts ?? []) add(parseMount(mount))
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) add(tmpfs(target, options.split(',')))
  // The container's own mounts win over those of `--volumes-from`, which win over the image's volumes.
  for (const mount of inherited) if (!byDestination.has(mount.destination)) add(mount)
  for (const target of Object.keys(config.Volumes ?? {})) {
    const destination = volumeTarget(target)
    if (!byDestination.has(destination)) add({ ...driver, ...anonymousVolume(destination) })
  }
  return [...byDestination.values()].sort((a, b) => a.destination.split('/').length - b.destination.split('/').length)
}

/** The destination of a key of `Volumes`. Like Docker, treat a key that is not an absolute path as relative to the
 *  root, because images have such keys. But Docker's CLI also sends `-v x:/y` as such a key, because `x` could be a
 *  Windows drive; then `x` is checked as the name of a volume. */
function volumeTarget(target: string): string {
  const [, name] = /^(.):\//u.exec(target) ?? []
  if (name !== undefined) checkVolumeName(name)
  return destinationOf(posix.resolve('/', target), { type: 'volume', text: target })
}

/** Parses one `-v`: `/host:/ctr[:opts]`, `name:/ctr[:opts]` or `/ctr`. */
export function parseBind(text: string): PlannedMount {
  const parts = text.split(':')
  const [first = '', second, mode = ''] = parts
  const isModeInPlace = parts.length === 2 && second !== undefined && parseMode(second) !== undefined
  if (parts.length > 3 || parts.some((part) => part === '') || isModeInPlace) {
    throw invalidArgument(`invalid volume specification: '${text}'`)
  }
  if (second === undefined) return anonymousVolume(destinationOf(first, { type: 'volume', text }))
  const options = mode === '' ? {} : parseMode(mode)
  if (options === undefined) throw invalidArgument(`invalid mode: ${mode}`, { details: { volume: text } })
  const { readOnly = false, noCopy = false, propagation } = options
  const type = first.startsWith('/') ? 'bind' : 'volume'
  const destination = destinationOf(second, { type, text })
  const misplaced = type === 'bind' ? noCopy && 'VolumeOptions' : propagation !== undefined && 'BindOptions'
  if (misplaced) {
    const why = `invalid mount config for type "${type}": field ${misplaced} must not be specified`
    throw invalidArgument(`invalid volume specification: '${text}': ${why}`)
  }
  if (type === 'volume') return volume(first, destination, readOnly, mode === '' ? 'z' : mode, !noCopy)
  const source = posix.normalize(first).replace(/(.)\/$/, '$1')
  return { type, source, destination, readOnly, mode, propagation: propagation ?? 'rprivate', makeSource: true }
}

interface Mode {
  readonly readOnly?: boolean
  readonly noCopy?: boolean
  readonly propagation?: string
}

/** At most one mode of each kind is allowed. `z` and `Z` ask for SELinux labels. Consistency modes matter on macOS
 *  only; they are accepted and ignored. */
const modeKinds = [['ro', 'rw'], ['nocopy'], propagations, ['z', 'Z'], ['consistent', 'cached', 'delegated']]

/** The parsed mode, or undefined if the text is not one. */
function parseMode(mode: string): Mode | undefined {
  const options = mode.split(',')
  const isValid =
    options.every((option) => modeKinds.some((kind) => kind.includes(option))) &&
    modeKinds.every((kind) => options.filter((option) => kind.includes(option)).length <= 1)
  if (!isValid) return undefined
  const propagation = options.find((option) => propagations.includes(option))
  return {
    readOnly: options.includes('ro'),
    noCopy: options.includes('nocopy'),
    ...(propagation === undefined ? {} : { propagation }),
  }
}

/** What is being parsed, for error messages. `text` is the user's specification if it was a single text. */
interface Subject {
  readonly type: ContainerMount['type']
  readonly text?: string
}

function destinationOf(path: string, { type, text }: Subject): string {
  const fail = (why: string): BerthError => {
    const reason = `invalid mount config for type "${type}": ${why}`
    return invalidArgument(text === undefined ? reason : `invalid volume specification: '${text}': ${reason}`)
  }
  if (!path.startsWith('/')) throw fail(`invalid mount path: '${path}' mount path must be absolute`)
  const normal = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (normal === '/') throw fail("invalid specification: destination can't be '/'")
  return normal
}

function volume(name: string, destination: string, readOnly: boolean, mode: string, copyUp: boolean): PlannedMount {
  return { type: 'volume', name, source: '', destination, readOnly, mode, propagation: '', copyUp }
}

function anonymousVolume(destination: string): PlannedMount {
  return { ...volume(newId(), destination, false, '', true), anonymous: true }
}

function tmpfs(target: string, options: readonly string[]): PlannedMount {
  const given = options.filter((option) => option !== '')
  if (!target.startsWith('/')) throw invalidArgument(`invalid mount path: '${target}' mount path must be absolute`)
  for (const option of given) {
    if (!tmpfsOption.test(option)) throw invalidArgument(`invalid tmpfs option [${JSON.stringify(option)}]`)
  }
  return {
    type: 'tmpfs',
    source: '',
    destination: destinationOf(target, { type: 'tmpfs' }),
    readOnly: given.includes('ro'),
    mode: given.join(','),
    propagation: '',
    options: given,
  }
}

const optionOwners = [
  ['BindOptions', 'bind'],
  ['VolumeOptions', 'volume'],
  ['TmpfsOptions', 'tmpfs'],
  ['ImageOptions', 'image'],
  ['ClusterOptions', 'cluster'],
] as const

/** Parses one of `HostConfig.Mounts`. */
function parseMount(mount: Mount): PlannedMount {
  const type = mount.Type ?? ''
  const target = mount.Target ?? ''
  const fail = (why: string): BerthError => invalidArgument(`invalid mount config for type "${type}": ${why}`)
  if (target === '') throw fail('field Target must not be empty')
  if (!target.startsWith('/')) throw fail(`invalid mount path: '${target}' mount path must be absolute`)
  const destination = destinationOf(target, {
    type: type === 'bind' || type === 'tmpfs' || type === 'image' ? type : 'volume',
  })
  for (const [field, owner] of optionOwners) {
    if (mount[field] && owner !== type) throw fail(`field ${field} must not be specified`)
  }
  switch (type) {
    case 'bind':
      return bindMount(mount, destination, fail)
    case 'volume':
      return volumeMount(mount, destination, fail)
    case 'tmpfs':
      if (mount.Source) throw fail('field Source must not be specified')
      return { ...tmpfs(target, tmpfsOptions(mount)), mode: '' }
    case 'image':
      return imageMount(mount, destination, fail)
    case 'cluster':
      throw fail('cluster volumes are for the services of a swarm, which this node is not part of')
    default:
      throw invalidArgument(`invalid mount config for type "${type}": mount type unknown`)
  }
}

function volumeMount(mount: Mount, destination: string, fail: (why: string) => BerthError): PlannedMount {
  const { Subpath: subpath, DriverConfig: driver, NoCopy: noCopy, Labels: labels } = mount.VolumeOptions ?? {}
  const name = mount.Source ?? ''
  if (name === '' && mount.ReadOnly === true) throw fail('must not set ReadOnly mode when using anonymous volumes')
  const readOnly = mount.ReadOnly === true
  const planned =
    name === '' ? { ...anonymousVolume(destination), mode: 'z' } : volume(name, destination, readOnly, 'z', true)
  return {
    ...planned,
    copyUp: noCopy !== true,
    ...(labels ? { volumeLabels: labels } : {}),
    ...(driver?.Name ? { volumeDriver: driver.Name } : {}),
    ...(driver?.Options ? { volumeOptions: driver.Options } : {}),
    ...subpathOf(subpath, 'volume', fail),
  }
}

function imageMount(mount: Mount, destination: string, fail: (why: string) => BerthError): PlannedMount {
  const name = mount.Source ?? ''
  if (name === '') throw fail('field Source must not be empty')
  const common = { type: 'image', name, source: '', destination, readOnly: true, mode: '', propagation: '' } as const
  return { ...common, ...subpathOf(mount.ImageOptions?.Subpath, 'image', fail) }
}

/** Symlinks in the subpath are resolved when it is mounted. */
function subpathOf(
  subpath: string | null | undefined,
  owner: 'volume' | 'image',
  fail: (why: string) => BerthError,
): { subpath?: string } {
  if (!subpath) return {}
  const normal = posix.normalize(subpath)
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../')) {
    throw fail(`subpath must be a relative path within the ${owner}`)
  }
  return { subpath: normal }
}

function tmpfsOptions(mount: Mount): string[] {
  const { SizeBytes: size, Mode: mode, Options: extra } = mount.TmpfsOptions ?? {}
  return [
    ...(mount.ReadOnly === true ? ['ro'] : []),
    ...(size ? [`size=${size}`] : []),
    ...(mode ? [`mode=${mode.toString(8)}`] : []),
    ...(extra ?? []).map((option) => option.join('=')),
  ]
}

function bindMount(mount: Mount, destination: string, fail: (why: string) => BerthError): PlannedMount {
  const source = mount.Source ?? ''
  if (source === '') throw fail('field Source must not be empty')
  if (!source.startsWith('/')) throw fail(`invalid mount path: '${source}' mount path must be absolute`)
  const propagation = mount.BindOptions?.Propagation || 'rprivate'
  if (!propagations.includes(propagation)) throw fail(`invalid propagation mode: ${propagation}`)
  const { ReadOnlyNonRecursive: flat, ReadOnlyForceRecursive: forced } = mount.BindOptions ?? {}
  if (flat === true && forced === true) {
    throw fail('mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive')
  }
  return {
    type: 'bind',
    source: posix.normalize(source),
    destination,
    readOnly: mount.ReadOnly === true,
    mode: '',
    propagation,
    makeSource: mount.BindOptions?.CreateMountpoint === true,
    ...(mount.BindOptions?.NonRecursive === true ? { nonRecursive: true } : {}),
    ...(flat === true ? { readOnlyDepth: 'top' } : forced === true ? { readOnlyDepth: 'all' } : {}),
  }
}
