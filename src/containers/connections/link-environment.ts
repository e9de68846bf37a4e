/** The environment variables that describe linked containers to a container. Pure.
 *  https://docs.docker.com/engine/network/links/#environment-variables */

/** A linked container as its parent sees it. */
export interface LinkedContainer {
  readonly parentName: string
  readonly alias: string
  readonly address: string
  /** Ports such as `6379/tcp`. */
  readonly exposedPorts: readonly string[]
  readonly env: readonly string[]
}

interface Port {
  readonly number: number
  readonly protocol: string
}

/** Variables that every image sets, so they say nothing about the linked service. */
const notPassedOn: ReadonlySet<string> = new Set(['HOME', 'PATH'])

/** Gives `ALIAS_PORT`, `ALIAS_PORT_6379_TCP` and its parts, `ALIAS_NAME`, and `ALIAS_ENV_…`. */
export function linkEnvironment({ parentName, alias, address, exposedPorts, env }: LinkedContainer): string[] {
  const prefix = alias.toUpperCase().replaceAll('-', '_')
  const ports = exposedPorts.map(parsePort).sort(inOrder)
  const url = ({ number, protocol }: Port) => `${protocol}://${address}:${number}`
  const [first] = ports
  const result = first === undefined ? [] : [`${prefix}_PORT=${url(first)}`]
  for (const [start, end] of ranges(ports)) {
    const name = `${prefix}_PORT_${start.number}_${start.protocol.toUpperCase()}`
    result.push(
      `${name}_START=${url(start)}`,
      `${name}_ADDR=${address}`,
      `${name}_PROTO=${start.protocol}`,
      `${name}_PORT_START=${start.number}`,
      `${name}_END=${url(end)}`,
      `${name}_PORT_END=${end.number}`,
    )
  }
  for (const port of ports) {
    const name = `${prefix}_PORT_${port.number}_${port.protocol.toUpperCase()}`
    result.push(
      `${name}=${url(port)}`,
      `${name}_ADDR=${address}`,
      `${name}_PORT=${port.number}`,
      `${name}_PROTO=${port.protocol}`,
    )
  }
  result.push(`${prefix}_NAME=/${parentName}/${alias}`)
  for (const entry of env) {
    const at = entry.indexOf('=')
    if (at > 0 && !notPassedOn.has(entry.slice(0, at))) result.push(`${prefix}_ENV_${entry}`)
  }
  return [...new Set(result)]
}

function parsePort(text: string): Port {
  const [number = '', protocol = 'tcp'] = text.split('/')
  return { number: Number(number), protocol }
}

/** Sorts by number; for the same number tcp comes first. */
function inOrder(one: Port, other: Port): number {
  if (one.number !== other.number) return one.number - other.number
  return one.protocol === 'tcp' ? -1 : 1
}

/** Ranges of three or more adjacent ports of the same protocol. */
function ranges(ports: readonly Port[]): [start: Port, end: Port][] {
  const found: [Port, Port][] = []
  for (const protocol of new Set(ports.map((port) => port.protocol))) {
    const list = ports.filter((port) => port.protocol === protocol)
    for (let at = 0; at < list.length; ) {
      let last = at
      while (list[last + 1]?.number === (list[last]?.number ?? 0) + 1) last += 1
      const [start, end] = [list[at], list[last]]
      if (last > at + 1 && start !== undefined && end !== undefined) found.push([start, end])
      at = last + 1
    }
  }
  return found
}
