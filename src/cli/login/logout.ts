import { messageOf } from '../../base/index.ts'
import { Credentials, hostOfServer, hubServer } from '../../config/client/index.ts'
import type { Command } from '../command/command.ts'
import { serverOf } from './registry-auth.ts'

export const command: Command = {
  usage: '[SERVER]',
  operands: { min: 0, max: 1 },
  flags: [],
  async run({ settings, runProgram, output, errors }, _flags, [operand = '']) {
    const server = operand === '' ? hubServer : serverOf(hostOfServer(operand))
    // Older clients stored credentials under other forms of the name.
    const servers =
      server === hubServer ? [server] : [...new Set([operand, server, `http://${server}`, `https://${server}`])]
    output.write(`Removing login credentials for ${server}\n`)
    const credentials = new Credentials(settings, runProgram)
    const failures: unknown[] = []
    for (const one of servers) {
      try {
        await credentials.erase(one)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length === servers.length) {
      errors.write(`WARNING: could not erase credentials:\n${server}: ${messageOf(failures[0])}\n`)
    }
    return 0
  },
}
