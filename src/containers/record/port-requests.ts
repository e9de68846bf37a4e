/** Converts the ports of a create request to what the network publishes. Pure. */
import type { ContainerConfig, HostConfig, PortMap } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { PortRequest, Protocol } from '../../network/index.ts'

/** Parses a port such as `80/tcp`; the protocol defaults to tcp. Throws `invalidArgument` in Docker's words. */
export function parseContainerPort(text: string): { readonly protocol: Protocol; readonly port: number } {
  const [number = '', protocol = 'tcp'] = text.split('/')
  const port = Number(number)
  if (!/^\d+$/.test(number) || port > 65535 || port < 1) throw invalidArgument(`invalid port specification: "${text}"`)
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw invalidArgument(`invalid port specification: "${text}"`)
  }
  return { protocol, port }
}

/** All ports to publish: `PortBindings`, and with `PublishAllPorts` every exposed port without a binding. A host port
 *  of 0 means any free port. Throws `invalidArgument` in Docker's words. */
export function portRequests(config: ContainerConfig, hostConfig: HostConfig): readonly PortRequest[] {
  const bindings: PortMap = hostConfig.PortBindings ?? {}
  const requests: PortRequest[] = []
  for (const [spec, list] of Object.entries(bindings)) {
    const { protocol, port } = parseContainerPort(spec)
    for (const binding of (list?.length ?? 0) === 0 ? [{}] : (list ?? [])) {
      requests.push({
        protocol,
        containerPort: port,
        hostIp: binding.HostIp ?? '',
        ...hostPortRange(binding.HostPort ?? ''),
      })
    }
  }
  if (hostConfig.PublishAllPorts === true) {
    for (const spec of Object.keys(config.ExposedPorts ?? {})) {
      const { protocol, port } = parseContainerPort(spec)
      if (requests.some((request) => request.protocol === protocol && request.containerPort === port)) continue
      requests.push({ protocol, containerPort: port, hostIp: '', hostPort: 0, hostPortEnd: 0 })
    }
  }
  return requests
}

function hostPortRange(text: string): { readonly hostPort: number; readonly hostPortEnd: number } {
  if (text === '') return { hostPort: 0, hostPortEnd: 0 }
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  const hostPort = Number(first)
  const hostPortEnd = Number(last)
  if (first === undefined || hostPortEnd > 65535 || hostPortEnd < hostPort) {
    throw invalidArgument(`invalid port specification: "${text}"`)
  }
  return { hostPort, hostPortEnd }
}
