import type { Command } from '../command/command.ts'

export const command: Command = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  operands: { min: 2, max: 2 },
  flags: [{ name: 'force', short: 'f', type: 'bool', help: 'Disconnect the container whatever its state is' }],
  async run({ client }, flags, [network = '', container = '']) {
    await client.networks.disconnect(network, { Container: container, Force: flags.bool('force') })
    return 0
  },
}
