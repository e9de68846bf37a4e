import type { ClientSettings } from '../../config/client/index.ts'
import { escapeHtmlInJson } from '../../template/index.ts'
import type { Command } from '../command/command.ts'
import { inspectObjects } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'
import { findContext, storeOf } from './contexts.ts'

export const command: Command = {
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  operands: { min: 0 },
  flags: [formatFlag],
  async run({ settings, output }, flags, names) {
    const wanted = names.length > 0 ? names : [settings.contextName()]
    await inspectObjects(output, wanted, flags.string('format'), async (name) => describe(settings, name), {
      typeName: 'context.contextWithTLSListing',
    })
    return 0
  },
}

function describe(settings: ClientSettings, name: string): string {
  const { Metadata, Endpoints } = findContext(settings, name)
  const store = storeOf(settings)
  const inMemory = '<IN MEMORY>'
  const files = name === 'default' ? [] : Object.keys(store.tlsFiles(name))
  const { meta, tls } = name === 'default' ? { meta: inMemory, tls: inMemory } : store.paths(name)
  return escapeHtmlInJson(
    JSON.stringify({
      Name: name,
      Metadata,
      Endpoints,
      TLSMaterial: files.length === 0 ? {} : { docker: files },
      Storage: { MetadataPath: meta, TLSPath: tls },
    }),
  )
}
