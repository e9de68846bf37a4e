import { CliError, withHelpHint } from '../../command/cli-error.ts'
import type { Command } from '../../command/command.ts'
import { refuseContentTrust } from '../../command/content-trust.ts'
import { proxyVariables } from '../../command/proxy-variables.ts'
import { createBody } from '../options/create-body.ts'
import { createFlags, pullFlag } from '../options/create-flags.ts'
import { checkPullPolicy, createContainer } from './create-container.ts'

export const command: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  operands: { min: 1 },
  flags: [...createFlags, pullFlag('creating')],
  interspersed: false,
  async run(context, flags, [image = '', ...command]) {
    const { output, settings, commandPath } = context
    let body: ReturnType<typeof createBody>
    try {
      refuseContentTrust(settings, flags)
      checkPullPolicy(flags.string('pull', 'missing'))
      const { environment } = settings
      const proxies = proxyVariables(settings)
      body = createBody(flags, { image, command, environment, proxies, detach: false, consoleSize: [0, 0] })
    } catch (error) {
      throw new CliError(125, withHelpHint(error, commandPath), { cause: error })
    }
    output.write(`${await createContainer(context, flags, body)}\n`)
    return 0
  },
}
