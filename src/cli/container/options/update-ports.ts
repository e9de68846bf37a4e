/** `update --publish` and `--unpublish`: adds to and removes from a container's published ports. Pure. */
import type { PortBinding, PortMap } from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import { parsePorts } from './port-options.ts'

/** The ports that the container is configured to publish, and the host ports in use while it runs. */
export interface PublishedNow {
  readonly bindings: PortMap
  readonly actual: PortMap
}

interface Target {
  readonly hostIp: string
  readonly hostPort: string
  readonly containerPort: string
  readonly protocol: string
}

/** The complete new set. Throws `invalidArgument` for a text that is not a port, and for a port that is not
 *  published. */
export function changedPorts(now: PublishedNow, publish: readonly string[], unpublish: readonly string[]): PortMap {
  const bindings = new Map(Object.entries(now.bindings).map(([key, list]) => [key, [...(list ?? [])]]))
  for (const text of unpublish) {
    const target = parseTarget(text)
    if (!takeOut(bindings, now.actual, target)) throw invalidArgument(`port ${text} is not published`)
  }
  for (const [key, added] of Object.entries(parsePorts(publish, []).bindings)) {
    const list = bindings.get(key) ?? []
    const isNew = added.filter(
      (one) => !list.some(({ HostIp, HostPort }) => (HostIp ?? '') === one.HostIp && (HostPort ?? '') === one.HostPort),
    )
    bindings.set(key, [...list, ...isNew])
  }
  return Object.fromEntries([...bindings].filter(([, list]) => list.length > 0))
}

/** Parses `[[IP:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL]` or `HOST_PORT[/PROTOCOL]`. */
function parseTarget(text: string): Target {
  const [rest = '', protocol = 'tcp'] = text.split('/')
  const parts = rest.split(':')
  const [last = ''] = parts.slice(-1)
  const hostPort = parts.length > 1 ? (parts.at(-2) ?? '') : ''
  const hostIp = parts
    .slice(0, -2)
    .join(':')
    .replace(/^\[(.*)\]$/, '$1')
  for (const port of hostPort === '' ? [last] : [last, hostPort]) {
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw invalidArgument(`invalid port: ${text}`)
  }
  return { hostIp, hostPort, containerPort: last, protocol: protocol.toLowerCase() }
}

/** Removes the target's port. A single number is a host port or, if no port is published there, the container port with
 *  that number. False when there is no such port. */
function takeOut(bindings: Map<string, PortBinding[]>, actual: PortMap, target: Target): boolean {
  const { hostPort, containerPort, protocol } = target
  if (hostPort !== '') return takeFrom(bindings, actual, `${containerPort}/${protocol}`, target)
  const byHost = [...bindings.keys()].filter((key) => key.endsWith(`/${protocol}`))
  const alone = { ...target, hostPort: containerPort }
  const found = byHost.map((key) => takeFrom(bindings, actual, key, alone))
  return found.includes(true) || bindings.delete(`${containerPort}/${protocol}`)
}

function takeFrom(
  bindings: Map<string, PortBinding[]>,
  actual: PortMap,
  key: string,
  { hostIp, hostPort }: Target,
): boolean {
  const list = bindings.get(key) ?? []
  const isMeant = ({ HostIp, HostPort }: PortBinding) =>
    HostPort === hostPort && (hostIp === '' || (HostIp ?? '') === hostIp)
  const rest = list.filter((binding) => !isMeant(binding))
  if (rest.length < list.length) {
    bindings.set(key, rest)
    return true
  }
  // A random port, or one from a range, is found by the host port in use. The others of its list then become fixed.
  const fixed = list.filter(isFixed)
  const open = (actual[key] ?? []).filter((port) => !fixed.some(({ HostPort }) => HostPort === port.HostPort))
  const meant = open.filter((port) => port.HostPort === hostPort)
  if (meant.length === 0 || fixed.length === list.length) return false
  const others = new Set(open.map(({ HostPort }) => HostPort).filter((port) => port !== hostPort))
  const kept = [...others].map((HostPort = '') => ({
    HostIp: list.find((one) => !isFixed(one))?.HostIp ?? '',
    HostPort,
  }))
  bindings.set(key, [...fixed, ...kept])
  return true
}

function isFixed({ HostPort }: PortBinding): boolean {
  return /^\d+$/.test(HostPort ?? '')
}
