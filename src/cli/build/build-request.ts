/** Turns the flags of `build` into the request for the daemon. */
import type { BuildAttestation, BuildRequest, BuildTarget } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import { csvFields, csvPairs } from '../../build/dockerfile/index.ts'
import { parseReference } from '../../oci/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext } from '../command/command.ts'
import { parseResources } from '../container/options/resource-options.ts'
import { type FlagValues, toPairs } from '../flags/flag-values.ts'
import { buildArgsOf } from './build-args.ts'
import { type CacheOption, parseCacheOption } from './cache-options.ts'
import { type ContextSource, contextKey } from './context/context-source.ts'
import type { DockerfileSource } from './context/dockerfile-source.ts'
import { namedContexts } from './context/named-contexts.ts'
import type { OutputOption } from './output-options.ts'
import { readSecrets } from './secret-options.ts'
import { parseSshAgents, type SshAgent } from './ssh/ssh-options.ts'

/** The request, and what the daemon may ask the client for during the build. */
export interface PlannedBuild {
  readonly request: BuildRequest
  /** Directories on the client's side, by the names that the daemon uses for them. */
  readonly directories: ReadonlyMap<string, string>
  readonly agents: readonly SshAgent[]
  /** The destinations of outputs, by target and output, followed by the directories of caches. */
  readonly places: readonly (readonly (string | undefined)[])[]
  readonly cachePlaces: readonly (string | undefined)[]
}

/** The inputs of a build besides its flags. */
export interface BuildParts {
  readonly context: ContextSource
  readonly dockerfile: DockerfileSource
  readonly outputs: readonly OutputOption[]
}

/** Plans a build. Throws for flags that contradict each other. */
export function planBuild(cli: CliContext, flags: FlagValues, parts: BuildParts): PlannedBuild {
  const { settings } = cli
  const { context, dockerfile } = parts
  const named = namedContexts(flags.list('build-context'))
  const cacheFrom = flags.list('cache-from').map((value) => parseCacheOption(value, 'from'))
  const cacheTo = flags.list('cache-to').map((value) => parseCacheOption(value, 'to'))
  const agents = parseSshAgents(flags.list('ssh'), settings.environment)
  const targets = targetsOf(flags, parts.outputs)
  const platforms = flags.has('platform') ? flags.list('platform') : [settings.defaultPlatform]
  const request: BuildRequest = {
    type: 'build',
    ...(dockerfile.text === undefined ? {} : { dockerfile: dockerfile.text }),
    dockerfileName: dockerfile.name,
    context: contextOf(context),
    ...(named.contexts === undefined ? {} : { namedContexts: named.contexts }),
    targets: targets.map(({ target }) => target),
    ...(platforms.some((platform) => platform !== '') ? { platforms: platforms.filter((one) => one !== '') } : {}),
    buildArgs: buildArgsOf(flags.list('build-arg'), settings),
    labels: toPairs(flags.list('label')),
    addHosts: flags.list('add-host').map(checkHost),
    ...(flags.has('annotation') ? { annotations: toPairs(flags.list('annotation').map(checkAnnotation)) } : {}),
    noCache: flags.bool('no-cache'),
    ...(flags.has('no-cache-filter') ? { noCacheFilter: flags.list('no-cache-filter') } : {}),
    pull: flags.bool('pull'),
    ...limitsOf(flags),
    squash: flags.bool('squash'),
    explain: flags.bool('explain'),
    check: false,
    allow: flags.list('allow'),
    secrets: readSecrets(flags.list('secret'), settings.environment),
    ssh: agents.map(({ id }) => ({ id })),
    cacheFrom: cacheFrom.map(({ option }) => option),
    cacheTo: cacheTo.map(({ option }) => option),
    attests: attestationsOf(flags, settings.environment),
  }
  const directories = new Map(named.directories)
  if (context.kind === 'local') directories.set('context', context.directory)
  for (const [index, directory] of directoriesOf(cacheFrom).entries()) {
    if (directory !== undefined) directories.set(`cache-from:${index}`, directory)
  }
  return {
    request,
    directories,
    agents,
    places: targets.map(({ places }) => places),
    cachePlaces: directoriesOf(cacheTo),
  }
}

function directoriesOf(options: readonly CacheOption[]): readonly (string | undefined)[] {
  return options.map(({ directory }) => directory)
}

function contextOf(context: ContextSource): BuildRequest['context'] {
  switch (context.kind) {
    case 'local':
      return { kind: 'local', key: contextKey(context.directory) }
    case 'remote':
      return context
    case 'tar':
      return { kind: 'tar' }
    case 'none':
      return { kind: 'none' }
  }
}

interface PlannedTarget {
  readonly target: BuildTarget
  readonly places: readonly (string | undefined)[]
}

/** The targets with their names and outputs. With several targets, `-t TARGET=NAME` and `-o target=TARGET,…` say which
 *  target they belong to. */
function targetsOf(flags: FlagValues, options: readonly OutputOption[]): readonly PlannedTarget[] {
  const names = [...new Set(flags.list('target').filter((name) => name !== ''))]
  const tags = flags.list('tag').map((value) => parseTag(value, names))
  for (const { target } of options) {
    if (target !== undefined && !names.includes(target)) {
      throw new CliError(1, `ERROR: --output names target ${JSON.stringify(target)}, which is not built`)
    }
  }
  const wanted: readonly (string | undefined)[] = names.length === 0 ? [undefined] : names
  return wanted.map((name) => {
    const own = options.filter(({ target }) => target === undefined || target === name)
    const places = own.map((option) => placeOf(option, name, names.length > 1))
    const ownTags = tags.filter(({ target }) => target === undefined || target === name).map(({ tag }) => tag)
    const target = { tags: ownTags, outputs: own.map(({ output }) => output), ...(name === undefined ? {} : { name }) }
    return { target, places }
  })
}

function parseTag(
  value: string,
  targets: readonly string[],
): { readonly target: string | undefined; readonly tag: string } {
  const equals = value.indexOf('=')
  const target = equals === -1 ? undefined : value.slice(0, equals)
  const tag = value.slice(equals + 1)
  if (target !== undefined && !targets.includes(target)) {
    throw new CliError(1, `ERROR: --tag names target ${JSON.stringify(target)}, which is not built`)
  }
  if (target === undefined && targets.length > 1) {
    throw new CliError(1, `ERROR: with several targets, each tag must name its target: -t ${targets[0]}=${tag}`)
  }
  try {
    if (parseReference(tag).digest !== undefined) throw new Error('a tag may not have a digest')
  } catch (error) {
    throw new CliError(1, `ERROR: invalid tag ${JSON.stringify(tag)}: ${messageOf(error)}`, { cause: error })
  }
  return { target, tag }
}

/** The destination of an output. With several targets, each gets its own directory; a file can belong to one only. */
function placeOf(
  { dest, output, target }: OutputOption,
  name: string | undefined,
  isOneOfSeveral: boolean,
): string | undefined {
  if (dest === undefined || !isOneOfSeveral || target !== undefined || name === undefined) return dest
  if (output.type === 'local') return `${dest}/${name}`
  throw new CliError(
    1,
    `ERROR: with several targets, an output to a file must name its target: -o target=${name},type=${output.type},…`,
  )
}

function limitsOf(flags: FlagValues): Partial<BuildRequest> {
  const limits = parseResources(flags)
  const cpus = limits.NanoCpus ?? undefined
  if (cpus !== undefined && (flags.has('cpu-quota') || flags.has('cpu-period'))) {
    throw new CliError(1, 'ERROR: conflicting options: --cpus and --cpu-quota or --cpu-period')
  }
  return withoutNothing({
    network: flags.string('network'),
    shmSizeBytes: flags.has('shm-size') ? flags.number('shm-size') : undefined,
    ulimits: limits.Ulimits,
    memoryBytes: limits.Memory,
    memorySwapBytes: limits.MemorySwap,
    cpuShares: limits.CpuShares,
    cpuPeriod: cpus === undefined ? limits.CpuPeriod : cfsPeriod,
    cpuQuota: cpus === undefined ? limits.CpuQuota : Math.round((cpus / 1e9) * cfsPeriod),
    cpusetCpus: limits.CpusetCpus,
    cpusetMems: limits.CpusetMems,
    cgroupParent: limits.CgroupParent,
  })
}

/** Drops members without a value. */
function withoutNothing(values: Readonly<Record<string, unknown>>): Partial<BuildRequest> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return Object.fromEntries(given)
}

/** The kernel's default, in microseconds. */
const cfsPeriod = 100_000

function checkHost(value: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(value)
  if (match === null) throw new CliError(1, `ERROR: invalid host ${value}`)
  return `${match[1]}:${(match[2] ?? '').replace(/^\[(.*)\]$/, '$1')}`
}

function checkAnnotation(value: string): string {
  if (value.indexOf('=') > 0) return value
  throw new CliError(1, `ERROR: invalid annotation ${JSON.stringify(value)}, expected key=value`)
}

/** `--attest`, `--provenance` and `--sbom`; the short forms win. By default, an image that leaves the engine gets
 *  provenance. */
function attestationsOf(
  flags: FlagValues,
  { BUILDX_NO_DEFAULT_ATTESTATIONS: without = '' }: Readonly<Record<string, string | undefined>>,
): readonly BuildAttestation[] {
  const found = new Map<string, Readonly<Record<string, string>>>()
  if (!/^(1|true)$/i.test(without)) found.set('provenance', { mode: 'min', 'inline-only': 'true' })
  const add = (type: string, attrs: Readonly<Record<string, string>>) => {
    const { disabled, ...rest } = attrs
    if (disabled === 'true') found.delete(type)
    else found.set(type, rest)
  }
  for (const value of flags.list('attest')) {
    const pairs = csvFields(value).some((field) => field.includes('=')) ? csvPairs(value) : [['type', value] as const]
    const { type = '', ...attrs } = Object.fromEntries(pairs) as Record<string, string>
    if (type === '') throw new CliError(1, 'ERROR: attestation type not specified')
    add(type, attrs)
  }
  for (const type of ['provenance', 'sbom']) {
    const value = flags.string(type)
    if (/^(true|1|t)$/i.test(value)) add(type, {})
    else if (/^(false|0|f)$/i.test(value)) add(type, { disabled: 'true' })
    else if (value !== '') add(type, Object.fromEntries(csvPairs(value)) as Record<string, string>)
  }
  return [...found].map(([type, attrs]) => {
    if (type !== 'provenance' && type !== 'sbom')
      throw new CliError(1, `ERROR: unsupported attestation type ${JSON.stringify(type)}`)
    return { type, attrs }
  })
}
