import { isIPv6 } from 'node:net'
import type { PortBinding } from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import type { Command } from '../../command/command.ts'
import { naturalOrder } from '../../format/natural-order.ts'

export const command: Command = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  operands: { min: 1, max: 2 },
  flags: [],
  async run({ client, output }, _flags, [container = '', port]) {
    const { value } = await client.containers.inspect(container)
    const ports = value.NetworkSettings.Ports ?? {}
    const lines: string[] = []
    if (port === undefined || port === '') {
      for (const [key, bindings] of Object.entries(ports)) {
        for (const binding of bindings ?? []) lines.push(`${key} -> ${hostAddress(binding)}`)
      }
      // Ordered by number: 80/tcp before 443/tcp.
      lines.sort(naturalOrder)
    } else {
      const [number = '', protocol = ''] = port.split('/')
      const key = `${number}/${protocol || 'tcp'}`
      checkPort(key)
      const bindings = ports[key] ?? []
      if (bindings.length === 0) throw invalidArgument(`Error: No public port '${port}' published for ${container}`)
      lines.push(...bindings.map(hostAddress))
    }
    for (const line of lines) output.write(`${line}\n`)
    return 0
  },
}

/** Throws with the text of Go's number parser. */
function checkPort(key: string): void {
  const [number = ''] = key.split('/')
  const problem = !/^\d+$/.test(number) ? 'invalid syntax' : Number(number) > 65535 ? 'value out of range' : undefined
  if (problem === undefined) return
  throw invalidArgument(
    `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: ${problem}`,
  )
}

function hostAddress({ HostIp, HostPort }: PortBinding): string {
  const address = HostIp ?? ''
  return `${isIPv6(address) ? `[${address}]` : address}:${HostPort ?? ''}`
}
