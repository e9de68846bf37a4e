import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import type { Flag } from '../flags/flag.ts'

/** Flags of swarm's cluster volumes. Any of them asks for one. */
const clusterFlags: readonly Flag[] = [
  { name: 'availability', type: 'string', help: 'Availability of a cluster volume', shownDefault: 'active' },
  { name: 'group', type: 'string', help: 'Group of a cluster volume' },
  { name: 'limit-bytes', type: 'bytes', help: 'Maximum size of a cluster volume' },
  { name: 'required-bytes', type: 'bytes', help: 'Minimum size of a cluster volume' },
  { name: 'scope', type: 'string', help: 'Scope of a cluster volume', shownDefault: 'single' },
  { name: 'sharing', type: 'string', help: 'Sharing of a cluster volume', shownDefault: 'none' },
  { name: 'type', type: 'string', help: 'Kind of access to a cluster volume', shownDefault: 'block' },
]

export const command: Command = {
  usage: '[OPTIONS] [VOLUME]',
  operands: { min: 0, max: 1 },
  flags: [
    { name: 'driver', short: 'd', type: 'string', help: 'Driver of the volume', shownDefault: 'local' },
    { name: 'label', type: 'list', help: 'Label (NAME=VALUE)' },
    { name: 'name', type: 'string', help: 'Name of the volume', hidden: true },
    { name: 'opt', short: 'o', type: 'map', help: 'Option of the driver', shownDefault: 'map[]' },
    ...clusterFlags,
    { name: 'secret', type: 'map', help: 'Secret of a cluster volume', shownDefault: 'map[]' },
    { name: 'topology-preferred', type: 'list', help: 'Preferred topology of a cluster volume' },
    { name: 'topology-required', type: 'list', help: 'Required topology of a cluster volume' },
  ],
  async run({ client, output }, flags, [operand]) {
    if (operand !== undefined && flags.has('name')) {
      throw new CliError(
        1,
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      )
    }
    const volume = await client.volumes.create({
      Name: operand ?? flags.string('name'),
      Driver: flags.string('driver', 'local'),
      DriverOpts: flags.pairs('opt'),
      Labels: flags.pairs('label'),
      // The engine answers that it is not part of a swarm.
      ...(clusterFlags.some(({ name }) => flags.has(name)) ? { ClusterVolumeSpec: {} } : {}),
    })
    output.write(`${volume.Name}\n`)
    return 0
  },
}
