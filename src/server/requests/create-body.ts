import type { ContainerConfig, HostConfig, NetworkingConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { containerConfigMembers, hostConfigMembers } from './fields.ts'
import { endpointShape } from './network-bodies.ts'
import { objectBody, readMembers, readValue, type Shape } from './shape.ts'

/** The three parts of the body of `POST /containers/create`. */
export interface CreateBody {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly networkingConfig: NetworkingConfig
}

// A network without settings of the endpoint.
const networking: Shape = { struct: { EndpointsConfig: { map: endpointShape, nullMeans: {} } } }
const hostConfigShape: Shape = { struct: hostConfigMembers }

/** Splits the body of a create request into its parts. Throws `invalidArgument` in Docker's words. */
export function decodeCreateBody(body: unknown): CreateBody {
  if (body === undefined) throw invalidArgument('invalid JSON: got EOF while reading request body')
  const members = objectBody('container.CreateRequest', body)
  const config = readMembers('ContainerCreateRequest', members, containerConfigMembers)
  if (Object.keys(config).length === 0) {
    throw invalidArgument('config cannot be empty in order to create a container')
  }
  const { EndpointsConfig = {} } = part(members, 'NetworkingConfig', networking) as NetworkingConfig
  const hostConfig = part(members, 'HostConfig', hostConfigShape)
  return { config, hostConfig, networkingConfig: { EndpointsConfig } }
}

/** The body of an update: resources and a restart policy, as in HostConfig. No body means no changes. */
export function decodeUpdateBody(body: unknown): HostConfig {
  return readMembers('UpdateConfig', objectBody('container.UpdateConfig', body), hostConfigMembers)
}

/** The body of a commit: a container's configuration, or nothing. */
export function decodeConfigBody(body: unknown): ContainerConfig | undefined {
  const config = readMembers('ContainerConfig', objectBody('container.ContainerConfig', body), containerConfigMembers)
  return Object.keys(config).length === 0 ? undefined : config
}

/** A member of the body, found by its name in any case; {} when it is absent. */
function part(members: object, name: string, shape: Shape): object {
  const wanted = name.toLowerCase()
  const found = Object.entries(members).find(([key]) => key === name || key.toLowerCase() === wanted)
  return found === undefined || found[1] === null ? {} : (readValue(name, found[1], shape) as object)
}
