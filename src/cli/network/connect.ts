import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { checkLink } from '../container/options/check-values.ts'
import { toPairs } from '../flags/flag-values.ts'

export const command: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  operands: { min: 2, max: 2 },
  flags: [
    { name: 'alias', type: 'strings', help: 'Name of the container in the network' },
    { name: 'driver-opt', type: 'strings', help: 'Option of the driver for this container (NAME=VALUE)' },
    { name: 'gw-priority', type: 'int', help: 'The network with the highest priority has the default gateway' },
    { name: 'ip', type: 'string', help: 'IPv4 address (172.30.100.104)' },
    { name: 'ip6', type: 'string', help: 'IPv6 address (2001:db8::33)' },
    { name: 'link', type: 'list', help: 'Link to another container', check: checkLink },
    { name: 'link-local-ip', type: 'strings', help: 'Link-local address' },
  ],
  async run({ client }, flags, [network = '', container = '']) {
    const driverOptions = flags.list('driver-opt')
    if (driverOptions.some((option) => !option.includes('='))) {
      throw new CliError(1, 'invalid key/value pair format in driver options')
    }
    const [ip, ip6, linkLocal] = [flags.string('ip'), flags.string('ip6'), flags.list('link-local-ip')]
    await client.networks.connect(network, {
      Container: container,
      EndpointConfig: {
        IPAMConfig: {
          ...(ip === '' ? {} : { IPv4Address: ip }),
          ...(ip6 === '' ? {} : { IPv6Address: ip6 }),
          ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: linkLocal }),
        },
        Links: flags.has('link') ? flags.list('link') : null,
        Aliases: flags.list('alias'),
        DriverOpts: toPairs(driverOptions),
        GwPriority: flags.number('gw-priority'),
      },
    })
    return 0
  },
}
