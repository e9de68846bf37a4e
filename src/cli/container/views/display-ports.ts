/** The ports of a container on one line: `443/tcp, 0.0.0.0:9001-9002->9001-9002/tcp`. */
import type { Port } from '../../../api/index.ts'

interface Range {
  /** The address and protocol that all ports of the group have. */
  readonly ip: string
  readonly protocol: string
  readonly first: number
  last: number
}

/** Formats the ports. Adjacent ports that have the same number on the host, or are not published, become ranges. */
export function displayPorts(ports: readonly Port[]): string {
  const closed: string[] = []
  const open = new Map<string, Range>()
  const moved: string[] = []
  for (const { IP: ip = '', PrivatePort, PublicPort, Type: protocol } of ports.toSorted(comparePorts)) {
    if (ip !== '' && PublicPort !== PrivatePort) {
      moved.push(`${hostPort(ip, String(PublicPort ?? 0))}->${PrivatePort}/${protocol}`)
      continue
    }
    const key = `${ip}/${protocol}`
    const range = open.get(key)
    if (range !== undefined && PrivatePort === range.last + 1) {
      range.last = PrivatePort
      continue
    }
    if (range !== undefined) closed.push(formatRange(range))
    // A key keeps its position: ranges are in the order in which their address and protocol first came.
    open.set(key, { ip, protocol, first: PrivatePort, last: PrivatePort })
  }
  return [...closed, ...[...open.values()].map(formatRange), ...moved].join(', ')
}

function formatRange({ ip, protocol, first, last }: Range): string {
  const numbers = first === last ? String(first) : `${first}-${last}`
  return `${ip === '' ? '' : `${hostPort(ip, numbers)}->`}${numbers}/${protocol}`
}

function hostPort(ip: string, port: string): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

function comparePorts(left: Port, right: Port): number {
  return (
    left.PrivatePort - right.PrivatePort ||
    compareText(left.IP ?? '', right.IP ?? '') ||
    (left.PublicPort ?? 0) - (right.PublicPort ?? 0) ||
    compareText(left.Type, right.Type)
  )
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
