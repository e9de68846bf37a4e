import { conflict } from '../../base/index.ts'
import { checkContextName } from '../../config/client/index.ts'
import type { Command } from '../command/command.ts'
import {
  contextFlags,
  copyEndpoint,
  defaultContext,
  defaultDescription,
  endpointOfFlags,
  findContext,
  storeOf,
} from './contexts.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTEXT',
  operands: { min: 1, max: 1 },
  flags: [...contextFlags, { name: 'from', type: 'string', help: 'Context to copy' }],
  async run({ settings, output, errors }, flags, [name = '']) {
    checkContextName(name)
    const store = storeOf(settings)
    if (store.has(name)) throw conflict(`context "${name}" already exists`)
    const described = endpointOfFlags(settings, flags)
    // Without `--docker`, the new context is a copy: of the context `--from`, or of the default one.
    const from = flags.string('from')
    const source =
      described !== undefined ? undefined : from === '' ? defaultContext(settings) : findContext(settings, from)
    const { endpoint, tls } = described ?? copyEndpoint(settings, source?.Name ?? '')
    const description =
      flags.string('description') ||
      source?.Metadata.Description ||
      (source !== undefined && from === '' ? defaultDescription : '')
    const Metadata = { ...source?.Metadata, ...(description === '' ? {} : { Description: description }) }
    store.put({ Name: name, Metadata, Endpoints: { docker: endpoint } }, tls)
    output.write(`${name}\n`)
    errors.write(`Successfully created context "${name}"\n`)
    return 0
  },
}
