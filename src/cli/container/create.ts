import { CliError, withHelpHint } from '../cli-error.ts'
import type { Command } from '../command.ts'
import { refuseContentTrust } from '../content-trust.ts'
import { proxyVariables } from '../proxy-variables.ts'
import { createBody } from './create-body.ts'
import { checkPullPolicy, createContainer } from './create-container.ts'
import { createFlags, pullFlag } from './create-flags.ts'

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
