/** `-v`, `--mount`, `--tmpfs` and the image's VOLUMEs → what is mounted where. Pure: nothing is made here. */
import { posix } from 'node:path'
import type { ContainerConfig, HostConfig, Mount } from '../api/index.ts'
import { BerthError, invalidArgument, newId } from '../base/index.ts'
import type { ContainerMount } from './container-record.ts'

/** A mount still to be made ready; `copyUp`: fill an empty volume with what the image has there. */
export interface PlannedMount extends ContainerMount {
  readonly copyUp?: boolean
  readonly volumeLabels?: Readonly<Record<string, string>>
  /** A bind source that is made as a directory when it's missing (`-v`; `--mount` refuses). */
  readonly makeSource?: boolean
}

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

/** Everything to mount, parents before children. Throws `invalidArgument` in Docker's words. */
export function planMounts(config: ContainerConfig, hostConfig: HostConfig): readonly PlannedMount[] {
  const byDestination = new Map<string, PlannedMount>()
  const add = (mount: PlannedMount): void => {
    if (byDestination.has(mount.destination)) throw invalidArgument(`Duplicate mount point: ${mount.destination}`)
    byDestination.set(mount.destination, mount)
  }
  for (const bind of hostConfig.Binds ?? []) add(parseBind(bind))
  for (const mount of hostConfig.Mounts ?? []) add(parseMount(mount))
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) add(tmpfs(target, options.split(',')))
  for (const target of Object.keys(config.Volumes ?? {})) {
    const destination = destinationOf(target, target)
    if (!byDestination.has(destination)) add(anonymousVolume(destination))
  }
  return [...byDestination.values()].sort((a, b) => a.destination.split('/').length - b.destination.split('/').length)
}

/** One `-v`: `/host:/ctr[:opts]`, `name:/ctr[:opts]` or `/ctr`. */
export function parseBind(text: string): PlannedMount {
  const parts = text.split(':')
  if (parts.length > 3 || parts.some((part) => part === ''))
    throw invalidArgument(`invalid volume specification: '${text}'`)
  const [first = '', second, mode = ''] = parts
  if (second === undefined) return anonymousVolume(destinationOf(first, text))
  const options = parseMode(mode, text)
  const destination = destinationOf(second, text)
  if (first.startsWith('/')) {
    return {
      type: 'bind',
      source: posix.normalize(first).replace(/(.)\/$/, '$1'),
      destination,
      readOnly: options.readOnly,
      mode,
      propagation: options.propagation ?? 'rprivate',
      makeSource: true,
    }
  }
  if (!volumeName.test(first)) {
    throw invalidArgument(
      `create ${first}: "${first}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
  return volume(first, destination, options.readOnly, mode === '' ? 'z' : mode, !options.noCopy)
}

function parseMode(mode: string, text: string): { readOnly: boolean; noCopy: boolean; propagation?: string } {
  const result: { readOnly: boolean; noCopy: boolean; propagation?: string } = { readOnly: false, noCopy: false }
  for (const option of mode === '' ? [] : mode.split(',')) {
    if (option === 'ro') result.readOnly = true
    else if (option === 'nocopy') result.noCopy = true
    else if (propagations.includes(option)) result.propagation = option
    // z and Z relabel for SELinux, consistency modes mean something on macOS only: accepted, without effect here.
    else if (!['rw', 'z', 'Z', 'consistent', 'cached', 'delegated'].includes(option)) {
      throw invalidArgument(`invalid mode: ${mode}`, { details: { volume: text } })
    }
  }
  return result
}

function destinationOf(path: string, text: string): string {
  if (!path.startsWith('/'))
    throw invalidArgument(
      `invalid volume specification: '${text}': invalid mount config for type "volume": invalid mount path: '${path}' mount path must be absolute`,
    )
  const normal = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (normal === '/')
    throw invalidArgument(`invalid volume specification: '${text}': invalid mount config: destination can't be '/'`)
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
  return {
    type: 'tmpfs',
    source: '',
    destination: destinationOf(target, target),
    readOnly: given.includes('ro'),
    mode: given.join(','),
    propagation: '',
    options: given,
  }
}

/** One of `HostConfig.Mounts`. */
function parseMount(mount: Mount): PlannedMount {
  const type = mount.Type ?? ''
  const target = mount.Target ?? ''
  const fail = (why: string): BerthError => invalidArgument(`invalid mount config for type "${type}": ${why}`)
  if (target === '') throw fail('field Target must not be empty')
  if (!target.startsWith('/')) throw fail(`invalid mount path: '${target}' mount path must be absolute`)
  const destination = destinationOf(target, target)
  switch (type) {
    case 'bind':
      return bindMount(mount, destination, fail)
    case 'volume':
      return volumeMount(mount, destination, fail)
    case 'tmpfs':
      if (mount.Source) throw fail('field Source must not be specified')
      return { ...tmpfs(target, tmpfsOptions(mount)), mode: '' }
    case 'image':
    case 'npipe':
    case 'cluster':
      throw new BerthError('notImplemented', `mount type "${type}" is not implemented`)
    default:
      throw invalidArgument(`invalid mount config for type "${type}": mount type unknown`)
  }
}

function volumeMount(mount: Mount, destination: string, fail: (why: string) => BerthError): PlannedMount {
  const { Subpath: subpath, DriverConfig: driver, NoCopy: noCopy, Labels: labels } = mount.VolumeOptions ?? {}
  if (subpath) throw new BerthError('notImplemented', 'mount option volume-subpath is not implemented')
  if ((driver?.Name || 'local') !== 'local') {
    throw new BerthError('notImplemented', `volume driver ${driver?.Name} is not implemented`)
  }
  const name = mount.Source ?? ''
  if (name !== '' && !volumeName.test(name)) throw fail(`"${name}" includes invalid characters for a local volume name`)
  const readOnly = mount.ReadOnly === true
  const planned =
    name === '' ? { ...anonymousVolume(destination), readOnly } : volume(name, destination, readOnly, 'z', true)
  return { ...planned, copyUp: noCopy !== true, ...(labels ? { volumeLabels: labels } : {}) }
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
  return {
    type: 'bind',
    source: posix.normalize(source),
    destination,
    readOnly: mount.ReadOnly === true,
    mode: '',
    propagation,
    makeSource: mount.BindOptions?.CreateMountpoint === true,
    ...(mount.BindOptions?.NonRecursive === true ? { nonRecursive: true } : {}),
  }
}
