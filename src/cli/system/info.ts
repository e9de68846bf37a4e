import type { SystemInfo } from '../../api/index.ts'
import { BerthError, messageOf } from '../../base/index.ts'
import { GoTemplate, goJson } from '../../template/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { parseExact } from '../command/inspect-objects.ts'
import { formatFlag } from '../command/list-flags.ts'
import { toGoStructs } from '../format/inspect-value.ts'
import { infoText } from './info-text.ts'
import { clientInfo, printTemplate } from './version.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [formatFlag],
  async run(context, flags) {
    const { output, errors } = context
    const format = flags.string('format')
    const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
    const client = { Debug: false, ...clientInfo(context), Plugins: [], Warnings: null }
    const { text, info, error } = await serverInfo(context)
    if (format === '') {
      output.write(
        `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n\nServer:\n`,
      )
      if (info !== undefined) {
        output.write(infoText(info))
        for (const warning of info.Warnings ?? []) errors.write(`${warning}\n`)
      }
    } else {
      const data = toGoStructs(
        { ...(parseExact(text ?? '{}') as object), ClientInfo: client },
        '',
        '',
        'system.dockerInfo',
      )
      if (template === undefined) output.write(`${goJson(data)}\n`)
      else printTemplate(output, template, data)
    }
    if (error !== undefined) throw error
    return 0
  },
}

function parseTemplate(format: string): GoTemplate {
  try {
    return new GoTemplate(format)
  } catch (error) {
    throw new CliError(64, `template parsing error: ${messageOf(error)}`)
  }
}

interface ServerInfo {
  readonly text?: string
  readonly info?: SystemInfo
  readonly error?: BerthError
}

async function serverInfo({ client }: CliContext): Promise<ServerInfo> {
  try {
    const { text, value } = await client.system.info()
    return { text, info: value }
  } catch (error) {
    if (error instanceof BerthError) return { error }
    throw error
  }
}
