/** Platforms: parsing `os/arch/variant`, normal forms, and which platforms' images a host can run.
 *  https://github.com/opencontainers/image-spec/blob/main/image-index.md */
import { invalidArgument } from '../base/index.ts'

/** A platform in the spelling of image configs and indexes. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
}

const knownOs = new Set(['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'solaris', 'wasi', 'wasip1'])
const knownArchitectures = new Set([
  ...['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips', 'mips64', 'mips64le', 'mipsle', 'ppc64', 'ppc64le'],
  ...['riscv64', 's390x', 'wasm'],
])

const architectureAliases: Readonly<Record<string, readonly [architecture: string, variant: string]>> = {
  i386: ['386', ''],
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  aarch64: ['arm64', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}

/** The platform of this process's machine. */
export function hostPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }
  return normalizePlatform({ os: 'linux', architecture: names[process.arch] ?? process.arch })
}

/** Matches `linux` and `windows(10.0.17763)`. */
const osAndVersion = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/

/** Parses `os`, `arch`, `os/arch` or `os/arch/variant`. Missing parts come from the host.
 *  Throws `invalidArgument` with Docker's wording. */
export function parsePlatform(text: string): Platform {
  const [one = '', two, three, ...rest] = text.split('/')
  // Everything after the third slash counts as one part.
  const parts = [one, two, three, rest.length === 0 ? undefined : rest.join('/')].filter((part) => part !== undefined)
  if (!osAndVersion.test(one)) {
    throw invalidArgument(
      `"${one}" is an invalid OS component of "${text}": OSAndVersion specifier component must match "${osAndVersion.source.replaceAll('\\', '\\\\')}": invalid argument`,
    )
  }
  const bad = parts.slice(1).find((part) => !/^[A-Za-z0-9_.-]+$/.test(part))
  if (bad !== undefined) {
    throw invalidArgument(
      `"${bad}" is an invalid component of "${text}": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`,
    )
  }
  const [first = '', second, variant] = parts
  if (parts.length > 3) throw invalidArgument(`"${text}": cannot parse platform specifier: invalid argument`)
  if (second !== undefined) {
    return normalizePlatform({ os: first, architecture: second, ...(variant === undefined ? {} : { variant }) })
  }
  const host = hostPlatform()
  const os = first.toLowerCase()
  if (knownOs.has(os)) return normalizePlatform({ ...host, os })
  const platform = normalizePlatform({ os: host.os, architecture: first })
  if (!knownArchitectures.has(platform.architecture)) {
    throw invalidArgument(`"${text}": unknown operating system or architecture: invalid argument`)
  }
  return platform
}

/** Reads a platform from parsed JSON, and normalizes it. Missing members become empty texts. */
export function parsePlatformObject(value: Readonly<Record<string, unknown>>): Platform {
  const text = (key: string) => (typeof value[key] === 'string' ? value[key] : '')
  const features = value['os.features']
  return {
    ...normalizePlatform({ os: text('os'), architecture: text('architecture'), variant: text('variant') }),
    ...(text('os.version') === '' ? {} : { 'os.version': text('os.version') }),
    ...(Array.isArray(features) ? { 'os.features': features.filter((one) => typeof one === 'string') } : {}),
  }
}

/** The form in which platforms are compared: lower case, no aliases, no default variant. */
export function normalizePlatform(platform: Platform): Platform {
  let architecture = platform.architecture.toLowerCase()
  let variant = (platform.variant ?? '').toLowerCase()
  const alias = architectureAliases[architecture]
  if (alias !== undefined) {
    architecture = alias[0]
    if (variant === '') variant = alias[1]
  }
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) variant = ''
  if (architecture === 'arm' && /^[5-8]$/.test(variant)) variant = `v${variant}`
  if (architecture === 'arm' && variant === '') variant = 'v7'
  if (architecture === 'amd64' && variant === 'v1') variant = ''
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase()
  return { os, architecture, ...(variant === '' ? {} : { variant }) }
}

/** Gives `os/arch` or `os/arch/variant`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/')
}

/** How well an image for `offered` suits a machine (or wish) of `wanted`: 0 is an exact match, higher is worse,
 *  undefined is no match. An arm64 machine also runs arm images; an amd64 machine also runs 386 and lower variants. */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  const candidates = runnable(normalizePlatform(wanted))
  const { os, architecture, variant = '' } = normalizePlatform(offered)
  const rank = candidates.findIndex(
    (one) => one.os === os && one.architecture === architecture && (one.variant ?? '') === variant,
  )
  return rank === -1 ? undefined : rank
}

/** The element whose platform suits `wanted` best, the first of several equals; undefined when none does. */
export function bestPlatform<T>(
  wanted: Platform,
  elements: readonly T[],
  platformOf: (element: T) => Platform | undefined,
): T | undefined {
  let best: T | undefined
  let bestRank = Number.POSITIVE_INFINITY
  for (const element of elements) {
    const platform = platformOf(element)
    const rank = platform === undefined ? undefined : platformRank(wanted, platform)
    if (rank === undefined || rank >= bestRank) continue
    best = element
    bestRank = rank
  }
  return best
}

function runnable(platform: Platform): Platform[] {
  const { os, architecture, variant } = platform
  const level = Number(/^v(\d+)/.exec(variant ?? '')?.[1] ?? 0)
  const arm = (from: number) => countDown(from, 5).map((n) => ({ os, architecture: 'arm', variant: `v${n}` }))
  if (architecture === 'arm64') return [platform, ...(level > 8 ? [{ os, architecture }] : []), ...arm(8)]
  if (architecture === 'arm') return [platform, ...arm(level - 1)]
  if (architecture === 'amd64') {
    const lower = countDown(level - 1, 2).map((n) => ({ os, architecture, variant: `v${n}` }))
    return [platform, ...lower, ...(level > 0 ? [{ os, architecture }] : []), { os, architecture: '386' }]
  }
  return [platform]
}

function countDown(from: number, to: number): number[] {
  const numbers: number[] = []
  for (let n = from; n >= to; n -= 1) numbers.push(n)
  return numbers
}
