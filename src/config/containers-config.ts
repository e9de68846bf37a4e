/** The daemon's options for containers: the defaults of everything that a container may set itself. */
import { readFileSync } from 'node:fs'
import { invalidArgument, messageOf } from '../base/index.ts'
import { type CgroupsConfig, cgroupsConfig } from './cgroups-config.ts'
import type { RawValues } from './options/parse-options.ts'
import { list, oneOf, text } from './options/raw-values.ts'
import { parseBytes, parseUlimit, sizeInBytes, type UlimitDefault } from './options/values.ts'
import { type RuntimeConfig, runtimesConfig } from './runtimes-config.ts'

/** The defaults of a container. */
export interface ContainerDefaults {
  readonly defaultRuntime: string
  /** The text of a profile, or `builtin` or `unconfined`. */
  readonly seccompProfile: string
  readonly ulimits: readonly UlimitDefault[]
  readonly shmSizeBytes: number
  /** The size limit of the writable layer of a container or build step; undefined: no limit. */
  readonly layerSizeBytes: number | undefined
  /** Directories of device descriptions (CDI). A later one takes precedence over an earlier one. */
  readonly cdiSpecDirs: readonly string[]
  readonly init: boolean
  /** Undefined: the init program that the host has. */
  readonly initPath: string | undefined
  /** Undefined: depends on the version of control groups. */
  readonly cgroupnsMode: 'host' | 'private' | undefined
  readonly ipcMode: 'private' | 'shareable'
  readonly noNewPrivileges: boolean
  readonly logDriver: string
  readonly logOptions: Readonly<Record<string, string>>
  /** The socket to which log lines for journald are sent. */
  readonly journaldSocket: string
}

/** All options for containers. */
export interface ContainersConfig extends CgroupsConfig, ContainerDefaults {
  /** The runtimes by the names that `--runtime` accepts. */
  readonly runtimes: Readonly<Record<string, RuntimeConfig>>
}

/** Reads the options. Throws `invalidArgument` with the name of the wrong option. */
export function containersConfig(raw: RawValues): ContainersConfig {
  const logDriver = text(raw, 'logDriver') ?? 'json-file'
  return {
    ...defaultRuntimeConfig(raw),
    ulimits: [
      ...Object.entries((raw.defaultUlimits ?? {}) as Record<string, unknown>).map(([name, value]) =>
        parseUlimit(name, value),
      ),
      ...list(raw, 'defaultUlimit').map((item) => parseUlimit(undefined, item)),
    ],
    cdiSpecDirs: raw.cdiSpecDir === undefined ? ['/etc/cdi', '/var/run/cdi'] : list(raw, 'cdiSpecDir'),
    shmSizeBytes: parseBytes(text(raw, 'defaultShmSize') ?? '64m', 'default-shm-size'),
    layerSizeBytes: writableLayerBytes(list(raw, 'storageOpt')),
    init: raw.init === true,
    initPath: text(raw, 'initPath') || undefined,
    ...cgroupsConfig(raw),
    cgroupnsMode: oneOf(raw, 'defaultCgroupnsMode', ['host', 'private']),
    ipcMode: oneOf(raw, 'defaultIpcMode', ['private', 'shareable']) ?? 'private',
    noNewPrivileges: raw.noNewPrivileges === true,
    seccompProfile: seccompProfile(text(raw, 'seccompProfile')),
    logDriver,
    journaldSocket: text(raw, 'journaldSocket') ?? '/run/systemd/journal/socket',
    logOptions: { ...((raw.logOpts ?? {}) as Record<string, string>), ...pairs(list(raw, 'logOpt')) },
  }
}

function defaultRuntimeConfig(raw: RawValues): Pick<ContainersConfig, 'runtimes' | 'defaultRuntime'> {
  const runtimes = runtimesConfig(raw)
  const defaultRuntime = text(raw, 'defaultRuntime') ?? 'crun'
  if (runtimes[defaultRuntime] === undefined) {
    throw invalidArgument(`specified default runtime '${defaultRuntime}' does not exist`)
  }
  return { runtimes, defaultRuntime }
}

function pairs(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf('=')
      if (at < 1) throw invalidArgument(`invalid key=value "${item}"`)
      return [item.slice(0, at), item.slice(at + 1)]
    }),
  )
}

/** Gives `builtin`, `unconfined`, or the text of the profile in the named file.
 *  Throws `invalidArgument` for a file that can't be read or is not JSON. */
function seccompProfile(value: string | undefined): string {
  if (value === undefined || value === '' || value === 'builtin') return 'builtin'
  if (value === 'unconfined') return value
  try {
    const text = readFileSync(value, 'utf8')
    JSON.parse(text)
    return text
  } catch (cause) {
    throw invalidArgument(`opening seccomp profile (${value}) failed: ${messageOf(cause)}`, { cause })
  }
}

/** The limit of writable layers in bytes, from the options of Docker's storage driver overlay2; undefined for no limit.
 *  Throws `invalidArgument` with the name of the option.
 *  https://docs.docker.com/reference/cli/dockerd/#overlay2-options */
function writableLayerBytes(options: readonly string[]): number | undefined {
  let size: number | undefined
  for (const option of options) {
    const [, key, value = ''] = /^([^=]+)=(.*)$/.exec(option.trim()) ?? []
    if (key === undefined) throw invalidArgument(`storage-opts: unable to parse key/value option: "${option}"`)
    switch (key.toLowerCase()) {
      case 'overlay2.size':
        size = sizeInBytes(value)
        if (size === undefined) throw invalidArgument(`storage-opts: overlay2.size: invalid size: '${value}'`)
        break
      case 'overlay2.override_kernel_check':
        // Docker ignores it too: all kernels that it supports are new enough.
        if (!/^(1|t|true|0|f|false)$/i.test(value)) {
          throw invalidArgument(`storage-opts: overlay2.override_kernel_check: "${value}" is neither true nor false`)
        }
        break
      default:
        throw invalidArgument(`storage-opts: "${key}": the storage driver overlay2 has no such option`)
    }
  }
  return size === 0 ? undefined : size
}
