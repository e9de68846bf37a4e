/** Translates options of BuildKit's Dockerfile frontend into a request to the builder. Each option is used, ignored on
 *  purpose, or refused by name. Newer clients send options that this version does not know. Such an option does not fail
 *  the build; a warning names it. https://docs.docker.com/reference/cli/docker/buildx/build/ lists the flags that set
 *  them. */
import type {
  BuildAttestation,
  BuildCacheOption,
  BuildContext,
  BuildOutput,
  BuildRequest,
  NamedBuildContext,
  Ulimit,
} from '../../../api/index.ts'
import { BerthError, invalidArgument, notImplemented } from '../../../base/index.ts'
import type { BuildkitEntry } from '../../../contract/index.ts'
import { csvFields, csvPairs } from '../../dockerfile/index.ts'
import { isUpload } from '../session/upload.ts'
import { unknownFrontendOptions, withKnownAttributes } from './known-options.ts'
import type { SolveInput } from './solve-input.ts'

type Attrs = Readonly<Record<string, string>>

/** Names of the client's directories. */
export interface LocalNames {
  readonly context: string
  readonly dockerfile: string
  /** Directories of named contexts, by context name. */
  readonly named: ReadonlyMap<string, string>
  /** OCI layouts of named contexts, by context name. */
  readonly layouts: ReadonlyMap<string, { readonly store: string; readonly digest: string }>
}

/** A translated request. */
export interface FrontendRequest {
  readonly request: BuildRequest
  readonly names: LocalNames
  /** What to tell the user: one warning for each option that Berth does not know. */
  readonly warnings: readonly string[]
}

/** Makes the request. Throws `invalidArgument` for values that can't be parsed, `notImplemented` for options that Berth
 *  does not support. */
export function toBuildRequest(input: SolveInput): FrontendRequest {
  const { attrs } = input
  checkFrontend(input)
  const outputs = outputsOf(input.exports).map(withKnownAttributes)
  const { namedContexts, named, layouts } = namedContextsOf(input)
  const names: LocalNames = {
    context: attrs.contextkey || 'context',
    dockerfile: attrs.dockerfilekey || 'dockerfile',
    named,
    layouts,
  }
  const target = attrs.target ?? ''
  const noCache = attrs['no-cache']
  const request: BuildRequest = {
    type: 'build',
    dockerfileName: attrs.filename || 'Dockerfile',
    context: input.llb === undefined ? contextOf(input) : { kind: 'none' },
    ...(input.llb === undefined ? {} : { dockerfile: input.llb.dockerfile }),
    namedContexts,
    targets: [{ ...(target === '' ? {} : { name: target }), tags: [], outputs: outputs.map(({ output }) => output) }],
    ...(attrs.platform ? { platforms: attrs.platform.split(',') } : {}),
    buildArgs: withPrefix(attrs, 'build-arg:'),
    labels: withPrefix(attrs, 'label:'),
    addHosts: listOf(attrs['add-hosts']),
    noCache: noCache === '',
    noCacheFilter: listOf(noCache),
    pull: attrs['image-resolve-mode'] === 'pull',
    network: networkOf(attrs['force-network-mode']),
    ...limitsOf(attrs),
    ...(attrs.hostname ? { hostname: attrs.hostname } : {}),
    ulimits: listOf(attrs.ulimit).map(toUlimit),
    ...(attrs['cgroup-parent'] ? { cgroupParent: attrs['cgroup-parent'] } : {}),
    squash: false,
    explain: false,
    check: false,
    allow: input.entitlements,
    secrets: [],
    ssh: [],
    cacheFrom: cacheImportsOf(input).map(toCacheOption),
    cacheTo: input.cacheExports.map(toCacheOption),
    attests: attestsOf(attrs),
  }
  return {
    request,
    names,
    warnings: [...unknownFrontendOptions(attrs), ...outputs.flatMap(({ warnings }) => warnings)],
  }
}

/** Only Dockerfiles are supported. A frontend image in `# syntax=` is not fetched. */
function checkFrontend({ frontend, attrs, llb }: SolveInput): void {
  if (frontend === 'dockerfile.v0' || llb !== undefined) return
  if (frontend !== 'gateway.v0') throw notImplemented(`BuildKit's frontend ${JSON.stringify(frontend)}`)
  const source = attrs.source ?? ''
  if (!/^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(source))
    throw notImplemented(`BuildKit's frontend ${source}`)
}

function contextOf({ attrs, archive, session }: SolveInput): BuildContext {
  const url = attrs.context ?? ''
  if (archive !== undefined || isUpload(url)) return { kind: 'tar' }
  if (url === '') return { kind: 'local', key: keyOf(session.sharedKey, attrs.contextkey || 'context') }
  return { kind: 'remote', url }
}

/** The key by which the daemon remembers facts about a directory. '' means that nothing is remembered. */
function keyOf(sharedKey: string, name: string): string {
  return sharedKey === '' ? '' : `buildkit ${sharedKey} ${name}`
}

function namedContextsOf({ attrs, session, inputs }: SolveInput) {
  const namedContexts: Record<string, NamedBuildContext> = {}
  const named = new Map<string, string>()
  const layouts = new Map<string, { readonly store: string; readonly digest: string }>()
  for (const [name, value] of Object.entries(withPrefix(attrs, 'context:'))) {
    const [, scheme = '', rest = ''] =
      /^(docker-image:\/\/|local:|input:|oci-layout:\/\/|target:)?(.*)$/s.exec(value) ?? []
    switch (scheme) {
      case 'docker-image://':
        namedContexts[name] = { kind: 'image', reference: rest }
        break
      case 'local:': {
        named.set(name, rest)
        const sharedKey = attrs[`sharedkey:localdir:${name}`] ?? session.sharedKey
        namedContexts[name] = { kind: 'local', key: keyOf(sharedKey, rest) }
        break
      }
      case 'oci-layout://': {
        const [, store = '', digest = ''] = /^([^:@]+)(?::[^@]*)?@(sha(?:256|512):[0-9a-f]+)$/.exec(rest) ?? []
        if (store === '') throw invalidArgument(`invalid OCI layout ${rest} for context ${name}`)
        layouts.set(name, { store, digest })
        namedContexts[name] = { kind: 'layout', tag: '', digest }
        break
      }
      case 'target:':
        namedContexts[name] = { kind: 'stage', stage: rest }
        break
      case 'input:': {
        const result = inputs.get(rest)
        if (result === undefined) throw invalidArgument(`invalid input ${rest} for context ${name}`)
        namedContexts[name] = { kind: 'result', id: result }
        break
      }
      case '':
        namedContexts[name] = { kind: 'remote', url: value }
        break
      default:
        throw notImplemented(`the build context ${name}=${value}`)
    }
  }
  return { namedContexts, named, layouts }
}

function networkOf(mode: string | undefined): string {
  if (mode === undefined || mode === '' || mode === 'default' || mode === 'sandbox') return 'default'
  if (mode === 'host' || mode === 'none') return mode
  throw invalidArgument(`network mode ${JSON.stringify(mode)} not supported by buildkit`)
}

/** The limits of RUN. */
function limitsOf(attrs: Attrs): Partial<BuildRequest> {
  const size = attrs['shm-size'] ?? ''
  if (!/^\d{0,15}$/.test(size)) throw invalidArgument(`failed to parse shm size ${JSON.stringify(size)}`)
  const limits: Partial<Record<(typeof limitNames)[number][1], number>> = {}
  for (const [name, member] of limitNames) {
    const text = attrs[name] ?? ''
    if (text === '') continue
    const isUnlimited = name === 'memswap' && text === '-1'
    if (!isUnlimited && !/^[1-9]\d{0,14}$/.test(text))
      throw invalidArgument(`invalid ${name} value: ${text}: must be a number greater than 0`)
    limits[member] = Number(text)
  }
  return {
    ...limits,
    ...(size === '' ? {} : { shmSizeBytes: Number(size) }),
    ...(attrs.cpusetcpus ? { cpusetCpus: attrs.cpusetcpus } : {}),
    ...(attrs.cpusetmems ? { cpusetMems: attrs.cpusetmems } : {}),
  }
}

const limitNames = [
  ['memory', 'memoryBytes'],
  ['memswap', 'memorySwapBytes'],
  ['cpushares', 'cpuShares'],
  ['cpuperiod', 'cpuPeriod'],
  ['cpuquota', 'cpuQuota'],
] as const

/** Parses `nofile=1024:2048`. */
function toUlimit(text: string): Ulimit {
  const [, name = '', soft = '', hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? []
  if (name === '') throw invalidArgument(`failed to parse ulimit ${JSON.stringify(text)}`)
  return { Name: name, Soft: Number(soft), Hard: Number(hard) }
}

/** The caches to import, without duplicates. The client names them in its first call and again in each call for a
 *  Dockerfile. */
export function cacheImportsOf({ attrs, cacheImports }: SolveInput): readonly BuildkitEntry[] {
  const json = attrs['cache-imports'] ?? ''
  const listed = json === '' ? [] : parseEntries(json)
  const legacy = listOf(attrs['cache-from']).map((ref) => ({ type: 'registry', attrs: { ref } }))
  const all = [...listed, ...legacy, ...cacheImports]
  return [
    ...new Map(all.map((entry) => [JSON.stringify([entry.type, Object.entries(entry.attrs).sort()]), entry])).values(),
  ]
}

function parseEntries(json: string): readonly BuildkitEntry[] {
  try {
    const list = JSON.parse(json) as readonly { readonly Type?: string; readonly Attrs?: Attrs }[]
    return list.map(({ Type = '', Attrs: attrs = {} }) => ({ type: Type, attrs }))
  } catch (cause) {
    throw invalidArgument('failed to unmarshal cache-imports', { cause })
  }
}

/** Removes the path of a directory. Only the client uses it. */
function toCacheOption({ type, attrs }: BuildkitEntry): BuildCacheOption {
  const { src: _src, dest: _dest, ...rest } = attrs
  return type === 'local' ? { type, attrs: rest } : { type, attrs }
}

function outputsOf(exports: readonly BuildkitEntry[]): readonly BuildOutput[] {
  const outputs = exports.filter(({ type }) => type !== '').map(toOutput)
  // The builder would make an image for an empty list.
  return outputs.length === 0 ? [{ type: 'cacheonly', attrs: {} }] : outputs
}

function toOutput({ type, attrs }: BuildkitEntry): BuildOutput {
  switch (type) {
    case 'moby':
    case 'image': {
      // Clients set `load` for daemons that need it.
      const { load: _load, ...rest } = attrs
      return { type: 'image', attrs: rest }
    }
    case 'docker':
    case 'oci':
    case 'tar':
    case 'local':
      return { type, attrs }
    default:
      throw new BerthError('notFound', `exporter ${JSON.stringify(type)} could not be found`)
  }
}

/** The attestations that the user asked for. Clients add `inline-only` ones by themselves; those are left out. */
function attestsOf(attrs: Attrs): readonly BuildAttestation[] {
  return Object.entries(withPrefix(attrs, 'attest:')).flatMap(([type, text]) => {
    const pairs = Object.fromEntries(text === '' ? [] : csvPairs(text)) as Record<string, string>
    const { disabled = '', 'inline-only': inlineOnly = '', type: _type, ...rest } = pairs
    if (isTrue(disabled) || isTrue(inlineOnly)) return []
    if (type !== 'provenance' && type !== 'sbom')
      throw invalidArgument(`unknown attestation type ${JSON.stringify(type)}`)
    return [{ type, attrs: rest }]
  })
}

function isTrue(text: string): boolean {
  return /^(?:1|t|true)$/i.test(text)
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : csvFields(text)
}

function withPrefix(attrs: Attrs, prefix: string): Record<string, string> {
  const found = Object.entries(attrs).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]))
}
