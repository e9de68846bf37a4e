import { checkContextName } from '../../config/client/index.ts'
import type { Command } from '../command/command.ts'
import { contextFlags, endpointOfFlags, storeOf } from './contexts.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTEXT',
  operands: { min: 1, max: 1 },
  flags: contextFlags,
  async run({ settings, output, errors }, flags, [name = '']) {
    checkContextName(name)
    const store = storeOf(settings)
    const known = store.get(name)
    const described = endpointOfFlags(settings, flags)
    const description = flags.string('description')
    store.put(
      {
        Name: name,
        Metadata: { ...known.Metadata, ...(description === '' ? {} : { Description: description }) },
        Endpoints: described === undefined ? known.Endpoints : { docker: described.endpoint },
      },
      described?.tls,
    )
    output.write(`${name}\n`)
    errors.write(`Successfully updated context "${name}"\n`)
    return 0
  },
}
