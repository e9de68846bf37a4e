/** `-v`, `--mount` and `--tmpfs`. */
import { resolve } from 'node:path'
import type { Mount } from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import { parseBool } from '../../flags/flag.ts'
import { toPairs } from '../../flags/flag-values.ts'
import { splitCsv } from '../../format/csv.ts'
import { parseBinarySize } from '../../format/units.ts'

/** Parses values of `-v`: those with a source are binds, the others anonymous volumes. */
export function parseVolumes(values: readonly string[]): {
  readonly binds: string[]
  readonly anonymous: Record<string, object>
} {
  const binds: string[] = []
  const anonymous: Record<string, object> = {}
  for (const value of values) {
    const colon = value.indexOf(':')
    if (value === '') throw invalidArgument('invalid empty volume spec')
    if (colon === -1) {
      anonymous[value] = {}
      continue
    }
    if (value.split(':').includes('')) throw invalidArgument(`invalid spec: ${value}: empty section between colons`)
    const source = value.slice(0, colon)
    // A path that starts with a dot is relative to the client's directory, which the daemon does not know.
    binds.push(source.startsWith('.') ? `${resolve(source)}${value.slice(colon)}` : value)
  }
  return { binds, anonymous }
}

/** Parses values of `--tmpfs`: `/run:size=64m` → `{'/run': 'size=64m'}`. */
export function parseTmpfs(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const colon = value.indexOf(':')
      return colon === -1 ? [value, ''] : [value.slice(0, colon), value.slice(colon + 1)]
    }),
  )
}

type MutableMount = {
  -readonly [K in keyof Mount]: Mount[K]
}

/** The parts of one `--mount`. Options are collected by type of mount. */
interface MountParts {
  readonly mount: MutableMount
  readonly bind: Record<string, unknown>
  readonly volume: Record<string, unknown>
  readonly tmpfs: Record<string, unknown>
  readonly image: Record<string, unknown>
  readonly labels: string[]
  readonly driverOptions: string[]
}

/** Parses one `--mount`. Throws `invalidArgument` with Docker's text. */
export function parseMount(text: string): Mount {
  // The text of Go's CSV reader for empty input.
  if (text === '') throw invalidArgument('EOF')
  const parts: MountParts = {
    mount: { Type: 'volume' },
    bind: {},
    volume: {},
    tmpfs: {},
    image: {},
    labels: [],
    driverOptions: [],
  }
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=')
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase()
    setField(parts, key, equals === -1 ? undefined : field.slice(equals + 1), field)
  }
  const { mount } = parts
  if ((mount.Target ?? '') === '') throw invalidArgument('target is required')
  checkKinds(parts)
  if (parts.labels.length > 0) parts.volume.Labels = toPairs(parts.labels)
  if (parts.driverOptions.length > 0) {
    parts.volume.DriverConfig = {
      ...(parts.volume.DriverConfig as object | undefined),
      Options: toPairs(parts.driverOptions),
    }
  }
  return {
    ...mount,
    ...(Object.keys(parts.bind).length > 0 ? { BindOptions: parts.bind } : {}),
    ...(Object.keys(parts.volume).length > 0 ? { VolumeOptions: parts.volume } : {}),
    ...(Object.keys(parts.tmpfs).length > 0 ? { TmpfsOptions: parts.tmpfs } : {}),
    ...(Object.keys(parts.image).length > 0 ? { ImageOptions: parts.image } : {}),
  }
}

/** Checks a value of `--mount`, and gives it unchanged. */
export function checkMount(text: string): string {
  parseMount(text)
  return text
}

/** Fields that mean true without a value. */
const switches: Readonly<Record<string, (parts: MountParts, on: boolean) => void>> = {
  readonly: ({ mount }, on) => {
    mount.ReadOnly = on
  },
  ro: ({ mount }, on) => {
    mount.ReadOnly = on
  },
  'volume-nocopy': ({ volume }, on) => {
    volume.NoCopy = on
  },
  'bind-create-src': ({ bind }, on) => {
    bind.CreateMountpoint = on
  },
}

const fields: Readonly<Record<string, (parts: MountParts, value: string) => void>> = {
  type: ({ mount }, value) => {
    mount.Type = value.toLowerCase()
  },
  source: setSource,
  src: setSource,
  target: setTarget,
  destination: setTarget,
  dst: setTarget,
  consistency: ({ mount }, value) => {
    mount.Consistency = value.toLowerCase()
  },
  'bind-propagation': ({ bind }, value) => {
    bind.Propagation = value.toLowerCase()
  },
  'bind-recursive': ({ bind }, value) => {
    if (value === 'disabled') bind.NonRecursive = true
    else if (value === 'writable') bind.ReadOnlyNonRecursive = true
    else if (value === 'readonly') bind.ReadOnlyForceRecursive = true
    else if (value !== 'enabled')
      throw invalidArgument(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      )
  },
  'volume-subpath': ({ volume }, value) => {
    volume.Subpath = value
  },
  'volume-label': ({ labels }, value) => void labels.push(value),
  'volume-driver': ({ volume }, value) => {
    volume.DriverConfig = { Name: value }
  },
  'volume-opt': ({ driverOptions }, value) => void driverOptions.push(value),
  'image-subpath': ({ image }, value) => {
    image.Subpath = value
  },
  'tmpfs-size': ({ tmpfs }, value) => {
    try {
      tmpfs.SizeBytes = parseBinarySize(value)
    } catch (error) {
      throw invalidArgument(`invalid value for tmpfs-size: ${value}`, { cause: error })
    }
  },
  'tmpfs-mode': ({ tmpfs }, value) => {
    if (!/^[0-7]+$/.test(value)) throw invalidArgument(`invalid value for tmpfs-mode: ${value}`)
    tmpfs.Mode = Number.parseInt(value, 8)
  },
}

function setSource({ mount }: MountParts, value: string): void {
  mount.Source = /^\.{1,2}(\/|$)/.test(value) ? resolve(value) : value
}

function setTarget({ mount }: MountParts, value: string): void {
  mount.Target = value
}

function setField(parts: MountParts, key: string, value: string | undefined, field: string): void {
  const setSwitch = switches[key]
  if (setSwitch !== undefined) {
    setSwitch(parts, value === undefined || parseSwitch(key, value))
    return
  }
  if (value === undefined) throw invalidArgument(`invalid field '${field}' must be a key=value pair`)
  const set = fields[key]
  if (set === undefined) throw invalidArgument(`unexpected key '${key}' in '${field}'`)
  set(parts, value)
}

function parseSwitch(key: string, value: string): boolean {
  try {
    return parseBool(value)
  } catch {
    throw invalidArgument(`invalid value for ${key}: ${value}`)
  }
}

function checkKinds({ mount, bind, volume, tmpfs, image, labels, driverOptions }: MountParts): void {
  const kinds = [
    ['bind', bind, 'bind-*'],
    ['volume', labels.length + driverOptions.length > 0 ? { any: true } : volume, 'volume-*'],
    ['tmpfs', tmpfs, 'tmpfs-*'],
    ['image', image, 'image-*'],
  ] as const
  for (const [kind, options, names] of kinds) {
    if (Object.keys(options).length > 0 && mount.Type !== kind) {
      throw invalidArgument(`cannot mix '${names}' options with mount type '${mount.Type}'`)
    }
  }
}
