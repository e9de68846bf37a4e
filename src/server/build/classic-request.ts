/** The query of `POST /build` as a request to the builder. Every parameter is honored or refused by name. */
import type { BuildOutput, BuildRequest, Ulimit } from '../../api/index.ts'
import { invalidArgument, messageOf, notImplemented } from '../../base/index.ts'
import type { Query } from '../../http/index.ts'
import { isObject, parseReference } from '../../oci/index.ts'

/** Reads the query. Throws `invalidArgument` for a malformed value and `notImplemented` for an unsupported one. */
export function readClassicRequest(query: Query): BuildRequest {
  refuseUnsupported(query)
  const remote = query.text('remote')
  const isTar = remote === '' || remote === 'client-session'
  const target = query.optional('target')
  const dockerfileName = (query.text('dockerfile') || 'Dockerfile').replace(/^\/+/, '')
  return {
    type: 'build',
    dockerfileName,
    context: isTar ? { kind: 'tar' } : { kind: 'remote', url: remote },
    targets: [
      {
        ...(target === undefined ? {} : { name: target }),
        tags: query
          .all('t')
          .filter((tag) => tag !== '')
          .map(checkedTag),
        outputs: readOutputs(query),
      },
    ],
    ...(query.text('platform') === '' ? {} : { platforms: query.text('platform').split(',') }),
    buildArgs: readMap(query, 'buildargs'),
    labels: readMap(query, 'labels'),
    addHosts: query.all('extrahosts').flatMap(splitHosts),
    noCache: query.flag('nocache'),
    noCacheFilter: readList(query, 'nocachefilter'),
    pull: query.flag('pull'),
    network: query.text('networkmode'),
    ...numbers(query),
    cpusetCpus: query.text('cpusetcpus'),
    cpusetMems: query.text('cpusetmems'),
    cgroupParent: query.text('cgroupparent'),
    ulimits: readUlimits(query),
    squash: query.flag('squash'),
    explain: query.flag('explain'),
    check: query.flag('check'),
    allow: query.text('networkmode') === 'host' ? ['network.host'] : [],
    secrets: [],
    ssh: [],
    cacheFrom: readList(query, 'cachefrom').map((reference) => ({ type: 'registry', attrs: { ref: reference } })),
    cacheTo: [],
    attests: [],
  }
}

/** Refuses a name that no image can have before the build begins. */
function checkedTag(tag: string): string {
  parseReference(tag)
  return tag
}

/** Throws for parameters that no build supports. */
export function refuseUnsupported(query: Query): void {
  const version = query.text('version')
  if (!['', '1', '2'].includes(version)) throw invalidArgument(`invalid version ${JSON.stringify(version)}`)
  const isolation = query.text('isolation')
  if (isolation !== '' && isolation.toLowerCase() !== 'default')
    throw invalidArgument(`invalid isolation: ${isolation}`)
  if (query.all('securityopt').some((option) => option !== '')) {
    throw invalidArgument('The daemon on this platform does not support setting security options on build')
  }
  if (query.text('credentialspec') !== '') throw notImplemented('credentialspec of a build')
}

function numbers(query: Query) {
  const named = {
    shmSizeBytes: query.integer('shmsize'),
    memoryBytes: query.integer('memory'),
    memorySwapBytes: query.integer('memswap'),
    cpuShares: query.integer('cpushares'),
    cpuPeriod: query.integer('cpuperiod'),
    cpuQuota: query.integer('cpuquota'),
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof typeof named]?: number
  }
}

function readOutputs(query: Query): BuildOutput[] {
  const value = readJson(query, 'outputs')
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalidArgument('outputs is not a list')
  return value.map((one: unknown) => {
    const { Type = '', Attrs = {} } = (one ?? {}) as { Type?: string; Attrs?: Record<string, string> }
    if (Type !== 'image' && Type !== '') throw notImplemented(`build output of type ${Type} through this API`)
    return { type: 'image', attrs: Attrs }
  })
}

/** A JSON object of strings. A null stands for an argument that the client has no value for. */
export function readMap(query: Query, name: string): Record<string, string> {
  const value = readJson(query, name)
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidArgument(`${name} is not an object`)
  const given = Object.entries(value as Readonly<Record<string, unknown>>).filter(([, text]) => text !== null)
  const wrong = given.find(([, text]) => typeof text !== 'string')
  if (wrong !== undefined) throw invalidArgument(`error reading ${name}: the value of ${wrong[0]} is no string`)
  return Object.fromEntries(given) as Record<string, string>
}

function readUlimits(query: Query): Ulimit[] {
  const value = readJson(query, 'ulimits')
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every(isObject))
    throw invalidArgument('error reading ulimits: not a list of limits')
  return value as Ulimit[]
}

/** A JSON list, or names separated by commas. Go's clients write an empty list as `null`. */
export function readList(query: Query, name: string): string[] {
  if (query.text(name) === 'null') return []
  if (!query.text(name).startsWith('['))
    return query
      .all(name)
      .flatMap((text) => text.split(','))
      .filter((one) => one !== '')
  const value = readJson(query, name)
  return Array.isArray(value) ? value.map(String) : []
}

export function splitHosts(text: string): string[] {
  if (!text.startsWith('[')) return text === '' ? [] : text.split(',')
  const value = parse('extrahosts', text)
  return Array.isArray(value) ? value.map(String) : []
}

export function readJson(query: Query, name: string): unknown {
  const text = query.text(name)
  return text === '' ? undefined : parse(name, text)
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalidArgument(`error reading ${name}: ${messageOf(cause)}`, { cause })
  }
}
