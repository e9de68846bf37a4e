/** The ports of EXPOSE: `80`, `80/udp`, `8000-8010/tcp`. In an old form, a port mapping, only the container's port
 *  counts. */

const protocols = new Set(['tcp', 'udp', 'sctp'])

/** Gives keys of `ExposedPorts` (`80/tcp`), one for each port of a range, or Docker's message for an invalid word. */
export function exposedPorts(word: string): readonly string[] | string {
  const slash = word.indexOf('/')
  const mapping = slash === -1 ? word : word.slice(0, slash)
  const protocol = slash === -1 || slash === word.length - 1 ? 'tcp' : word.slice(slash + 1).toLowerCase()
  const ports = mapping.slice(mapping.lastIndexOf(':') + 1)
  if (ports === '') return `no port specified: ${word}<empty>`
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports) ?? []
  const first = Number(from)
  const last = Number(to)
  if (from === undefined || first > last || last > 65535) return `invalid containerPort: ${ports}`
  if (!protocols.has(protocol)) return `invalid proto: ${protocol}`
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`)
}
