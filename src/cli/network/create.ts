import type { Command } from '../command/command.ts'
import { parseIpam } from './ipam-options.ts'

export const command: Command = {
  usage: '[OPTIONS] NETWORK',
  operands: { min: 1, max: 1 },
  flags: [
    { name: 'attachable', type: 'bool', help: 'Allow manual attachment of containers (swarm networks)' },
    {
      name: 'aux-address',
      type: 'map',
      help: 'Address that is not given to containers (NAME=ADDRESS)',
      shownDefault: 'map[]',
    },
    { name: 'config-from', type: 'string', help: 'Network to copy the configuration from' },
    { name: 'config-only', type: 'bool', help: 'Create only a configuration that other networks can copy' },
    { name: 'driver', short: 'd', type: 'string', help: 'Driver of the network', shownDefault: 'bridge' },
    { name: 'gateway', type: 'strings', help: 'Gateway of a subnet' },
    { name: 'ingress', type: 'bool', help: "Network of a swarm's routing mesh" },
    { name: 'internal', type: 'bool', help: 'Restrict access to the outside' },
    { name: 'ip-range', type: 'strings', help: 'Part of a subnet from which containers get their addresses (CIDR)' },
    { name: 'ipam-driver', type: 'string', help: 'Driver of the address management', shownDefault: 'default' },
    { name: 'ipam-opt', type: 'map', help: 'Option of the address management', shownDefault: 'map[]' },
    { name: 'ipv4', type: 'bool', help: 'Assign IPv4 addresses', defaultTrue: true },
    { name: 'ipv6', type: 'bool', help: 'Assign IPv6 addresses' },
    { name: 'label', type: 'list', help: 'Label (NAME=VALUE)' },
    { name: 'opt', short: 'o', type: 'map', help: 'Option of the driver', shownDefault: 'map[]' },
    { name: 'scope', type: 'string', help: 'Scope of the network' },
    { name: 'subnet', type: 'strings', help: 'Subnet of the network (CIDR)' },
  ],
  async run({ client, output }, flags, [name = '']) {
    const configFrom = flags.string('config-from')
    const { Id: id } = await client.networks.create({
      Name: name,
      Driver: flags.string('driver', 'bridge'),
      Scope: flags.string('scope'),
      ...(flags.has('ipv4') ? { EnableIPv4: flags.bool('ipv4') } : {}),
      ...(flags.has('ipv6') ? { EnableIPv6: flags.bool('ipv6') } : {}),
      IPAM: {
        Driver: flags.string('ipam-driver', 'default'),
        Options: flags.pairs('ipam-opt'),
        Config: parseIpam(flags),
      },
      Internal: flags.bool('internal'),
      Attachable: flags.bool('attachable'),
      Ingress: flags.bool('ingress'),
      ConfigOnly: flags.bool('config-only'),
      ConfigFrom: configFrom === '' ? null : { Network: configFrom },
      Options: flags.pairs('opt'),
      Labels: flags.pairs('label'),
    })
    output.write(`${id}\n`)
    return 0
  },
}
