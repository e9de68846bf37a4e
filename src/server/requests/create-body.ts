import type { ContainerConfig, HostConfig, NetworkingConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { containerConfigFields, hostConfigFields, readFields } from './fields.ts'
import { jsonTypeOf } from './json-shape.ts'
import { decodeEndpoint } from './network-bodies.ts'

/** The three parts of the body of `POST /containers/create`. */
export interface CreateBody {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly networkingConfig: NetworkingConfig
}

/** Splits the body of a create request into its parts. Throws `invalidArgument` in Docker's words. */
export function decodeCreateBody(body: unknown): CreateBody {
  if (body === undefined) throw invalidArgument('invalid JSON: got EOF while reading request body')
  const members = asObject(body ?? {}, 'ContainerCreateRequest')
  const config = readFields('ContainerCreateRequest', members, containerConfigFields)
  if (Object.keys(config).length === 0) {
    throw invalidArgument('config cannot be empty in order to create a container')
  }
  const hostConfig = readFields('HostConfig', part(members, 'HostConfig'), hostConfigFields)
  const networking = part(members, 'NetworkingConfig')
  return { config, hostConfig, networkingConfig: { EndpointsConfig: endpointsOf(networking) } }
}

/** The body of an update: resources and a restart policy, as in HostConfig. No body means no changes. */
export function decodeUpdateBody(body: unknown): HostConfig {
  return readFields('UpdateConfig', asObject(body ?? {}, 'UpdateConfig'), hostConfigFields)
}

/** The body of a commit: a container's configuration, or nothing. */
export function decodeConfigBody(body: unknown): ContainerConfig | undefined {
  if (body === undefined || body === null) return undefined
  const config = readFields('ContainerConfig', asObject(body, 'ContainerConfig'), containerConfigFields)
  return Object.keys(config).length === 0 ? undefined : config
}

function endpointsOf(networking: object): NonNullable<NetworkingConfig['EndpointsConfig']> {
  const endpoints = part(networking, 'EndpointsConfig')
  const entries = Object.entries(endpoints).map(([name, settings]) => {
    const given = settings === null ? {} : asObject(settings, `EndpointsConfig[${name}]`)
    return [name, decodeEndpoint(given)] as const
  })
  return Object.fromEntries(entries)
}

/** A member that is an object, found by its name in any case; {} when it is absent. */
function part(members: object, name: string): object {
  const wanted = name.toLowerCase()
  const found = Object.entries(members).find(([key]) => key === name || key.toLowerCase() === wanted)
  return found === undefined || found[1] === null ? {} : asObject(found[1], name)
}

function asObject(value: unknown, name: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalidArgument(`invalid JSON: json: cannot unmarshal ${jsonTypeOf(value)} into Go struct field ${name}`)
}
