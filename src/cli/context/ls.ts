import { messageOf } from '../../base/index.ts'
import type { ClientSettings } from '../../config/client/index.ts'
import type { Command } from '../command/command.ts'
import { tableFormatFlag } from '../command/list-flags.ts'
import { formatList, type ListLayout } from '../format/list-formatter.ts'
import { naturalOrder } from '../format/natural-order.ts'
import { ellipsis } from '../format/table.ts'
import { defaultContext, defaultDescription, storeOf } from './contexts.ts'

interface ContextRow {
  readonly name: string
  readonly description: string
  readonly endpoint: string
  readonly error: string
  readonly current: boolean
}

const table = 'table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}'
const errorWidth = 45

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [tableFormatFlag, { name: 'quiet', short: 'q', type: 'bool', help: 'Only names' }],
  async run({ settings, output, errors }, flags) {
    const format = flags.string('format')
    const template = format === '' || format === 'table' ? (flags.bool('quiet') ? '{{.Name}}' : table) : format
    output.write(formatList(rows(settings), template, contextLayout))
    const { environment } = settings
    if ((environment.DOCKER_HOST ?? '') !== '') {
      errors.write(
        'Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.\n',
      )
    }
    return 0
  },
}

function rows(settings: ClientSettings): readonly ContextRow[] {
  const current = settings.contextName()
  const stored = storeOf(settings)
    .list()
    .map(({ Name, Metadata, Endpoints }) => ({
      name: Name,
      description: Metadata.Description ?? '',
      endpoint: Endpoints.docker?.Host ?? '',
      error: '',
      current: Name === current,
    }))
  const ofEnvironment: ContextRow = {
    name: 'default',
    description: defaultDescription,
    endpoint: defaultContext(settings).Endpoints.docker?.Host ?? '',
    error: '',
    current: current === 'default',
  }
  const all = [...stored, ofEnvironment]
  if (!all.some((row) => row.current)) all.push(missing(settings, current))
  return all.toSorted((left, right) => naturalOrder(left.name, right.name))
}

/** The row for a context that is in use but does not exist. */
function missing(settings: ClientSettings, name: string): ContextRow {
  let error = ''
  try {
    storeOf(settings).get(name)
  } catch (failure) {
    error = messageOf(failure)
  }
  return { name, description: '', endpoint: '', error, current: true }
}

const contextLayout: ListLayout<ContextRow> = {
  typeName: '*formatter.clientContextContext',
  headings: {
    Name: 'NAME',
    Description: 'DESCRIPTION',
    DockerEndpoint: 'DOCKER ENDPOINT',
    Error: 'ERROR',
    Current: '',
  },
  fields: {
    Current: ({ current }) => current,
    Description: ({ description }) => description,
    DockerEndpoint: ({ endpoint }) => endpoint,
    Error: ({ error }) => ellipsis(error, errorWidth),
    Name: ({ name }) => name,
  },
}
