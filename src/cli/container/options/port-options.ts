/** `-p` and `--expose`: the container's ports, and where the host publishes them. */
import type { PortBinding } from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import { net } from '../../terminal/builtins.ts'

/** The ports of a container, in the form of the API. */
export interface PortOptions {
  readonly exposed: Record<string, object>
  readonly bindings: Record<string, PortBinding[]>
}

const protocols = new Set(['tcp', 'udp', 'sctp'])

/** Parses both flags. Throws `invalidArgument` with Docker's text. */
export function parsePorts(published: readonly string[], exposed: readonly string[]): PortOptions {
  const result: PortOptions = { exposed: {}, bindings: {} }
  for (const text of published) addPublished(result, text.includes('=') ? longForm(text) : text)
  for (const text of exposed) addExposed(result, text)
  return result
}

/** Turns `target=80,published=8080,protocol=tcp` into `8080:80/tcp`. */
function longForm(text: string): string {
  const fields = Object.fromEntries(text.split(',').map((field) => field.split('=', 2) as [string, string]))
  const { target = '', published = '', protocol = 'tcp' } = fields
  return `${published === '' ? '' : `${published}:`}${target}/${protocol}`
}

function addPublished(result: PortOptions, text: string): void {
  const { hostIp, hostPort, containerPort, protocol } = splitPublished(text)
  const container = parseRange(containerPort, () => invalidArgument(`invalid containerPort: ${containerPort}`))
  const host =
    hostPort === '' ? undefined : parseRange(hostPort, () => invalidArgument(`invalid hostPort: ${hostPort}`))
  if (!protocols.has(protocol)) throw invalidArgument(`invalid proto: ${protocol}`)
  const count = container.end - container.start
  const sameLength = host === undefined || host.end - host.start === count
  // A range on the host for one port of the container: the daemon takes a free port from it.
  if (!sameLength && count !== 0) {
    throw invalidArgument(`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`)
  }
  for (let offset = 0; offset <= count; offset++) {
    const key = `${container.start + offset}/${protocol}`
    result.exposed[key] = {}
    const port = host === undefined ? '' : sameLength ? String(host.start + offset) : hostPort
    ;(result.bindings[key] ??= []).push({ HostIp: hostIp, HostPort: port })
  }
}

function splitPublished(text: string): { hostIp: string; hostPort: string; containerPort: string; protocol: string } {
  const [rest = '', protocol = 'tcp'] = text.split('/')
  const parts = rest.split(':')
  const containerPort = parts.pop() ?? ''
  const hostPort = parts.pop() ?? ''
  const address = parts.join(':')
  const hostIp = address.replace(/^\[(.*)\]$/, '$1')
  if (containerPort === '') throw invalidArgument(`no port specified: ${text}<empty>`)
  if (hostIp !== '' && (net().isIP(hostIp) === 0 || (net().isIP(hostIp) === 6 && hostIp === address))) {
    throw invalidArgument(`invalid IP address: ${address}`)
  }
  return { hostIp, hostPort, containerPort, protocol: protocol.toLowerCase() }
}

function addExposed(result: PortOptions, text: string): void {
  const [range = '', protocol = 'tcp'] = text.split('/')
  if (range.includes(':')) throw invalidArgument(`invalid port format for --expose: ${text}`)
  const { start, end } = parseRange(range, () => {
    const problem = /^\d+$/.test(range) ? 'value out of range' : 'invalid syntax'
    return invalidArgument(
      `invalid range format for --expose: ${text}, error: strconv.ParseUint: parsing ${JSON.stringify(range)}: ${problem}`,
    )
  })
  for (let port = start; port <= end; port++) result.exposed[`${port}/${protocol.toLowerCase()}`] = {}
}

function parseRange(text: string, error: () => Error): { readonly start: number; readonly end: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const start = Number(match?.[1])
  const end = Number(match?.[2] ?? start)
  if (match === null || start > 65535 || end > 65535 || end < start) throw error()
  return { start, end }
}
