import { isKind, messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { confirm, continueQuestion } from '../command/confirm.ts'

const ingressQuestion = `WARNING! Before removing the routing-mesh network, make sure all the nodes in your swarm run the same docker engine version. Otherwise, removal may not be effective and functionality of newly create ingress networks will be impaired.\n${continueQuestion}`

export const command: Command = {
  usage: 'NETWORK [NETWORK...]',
  operands: { min: 1 },
  flags: [{ name: 'force', short: 'f', type: 'bool', help: 'Do not fail for networks that do not exist' }],
  async run(context, flags, names) {
    const { client, output, errors } = context
    let failed = false
    for (const name of names) {
      if ((await isIngress(context, name)) && !(await confirm(context, ingressQuestion))) continue
      try {
        await client.networks.remove(name)
        output.write(`${name}\n`)
      } catch (error) {
        if (flags.bool('force') && isKind(error, 'notFound')) continue
        errors.write(`${messageOf(error)}\n`)
        failed = true
      }
    }
    if (failed) throw new CliError(1, 'exit status 1')
    return 0
  },
}

/** True for the ingress network. If it can't be inspected, its removal reports the reason. */
async function isIngress({ client }: CliContext, name: string): Promise<boolean> {
  try {
    return (await client.networks.inspect(name)).value.Ingress
  } catch {
    return false
  }
}
