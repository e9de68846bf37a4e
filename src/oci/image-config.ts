/** Image config: runtime defaults, ordered diffIDs, history. Its digest is the image id.
 *  https://github.com/opencontainers/image-spec/blob/main/config.md, with Docker's own members. */
import { invalidArgument } from '../base/index.ts'
import { isObject } from './descriptor.ts'
import { type Digest, parseDigest } from './digest.ts'
import { type Platform, parsePlatformObject } from './platform.ts'

/** What an image sets for its containers. The spelling is the wire's, because it is stored and sent unchanged. */
export interface OciRuntimeDefaults {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, object>> | null
  readonly Env?: readonly string[] | null
  readonly Entrypoint?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly Volumes?: Readonly<Record<string, object>> | null
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly StopSignal?: string
  readonly ArgsEscaped?: boolean
  readonly Healthcheck?: OciHealthcheck | null
  readonly OnBuild?: readonly string[] | null
  readonly Shell?: readonly string[] | null
}

/** Docker's health check. Times are in nanoseconds. */
export interface OciHealthcheck {
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly Retries?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
}

/** One step of an image's history. `empty_layer` marks a step without a layer. */
export interface OciHistoryEntry {
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** An image config as stored. `diff_ids` has the lowest layer first. */
export interface OciImageConfig {
  readonly created?: string
  readonly author?: string
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly config?: OciRuntimeDefaults
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly OciHistoryEntry[]
  readonly comment?: string
  readonly docker_version?: string
}

/** Parses the bytes of an image config. Members without a type here are kept.
 *  Throws `invalidArgument` when the engine could not run such an image. */
export function parseImageConfig(bytes: Uint8Array | string): OciImageConfig {
  let value: unknown
  try {
    value = JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw invalidArgument('image config is not JSON', { cause })
  }
  if (!isObject(value)) throw invalidArgument('image config is not a JSON object')
  const { rootfs, config } = value
  if (!isObject(rootfs)) throw invalidArgument('invalid image JSON, no RootFS key')
  const diffIds = rootfs.diff_ids ?? []
  if (!Array.isArray(diffIds)) throw invalidArgument('image config: diff_ids is not a list')
  if (config !== undefined && config !== null && !isObject(config)) throw invalidArgument('image config: bad config')
  return {
    ...value,
    architecture: textOf(value.architecture),
    os: textOf(value.os),
    ...(isObject(config) ? { config: config as OciRuntimeDefaults } : {}),
    rootfs: { type: 'layers', diff_ids: diffIds.map((diffId) => parseDigest(String(diffId))) },
  }
}

/** The platform that an image was made for. */
export function platformOfConfig(config: OciImageConfig): Platform {
  return parsePlatformObject({ ...config, os: config.os === '' ? 'linux' : config.os })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
