import type { SearchResult } from '../../api/index.ts'
import type { Command } from '../command/command.ts'
import { filterFlag } from '../command/list-flags.ts'
import { formatList, type ListLayout } from '../format/list-formatter.ts'
import { ellipsis } from '../format/table.ts'
import { registryAuthFor } from '../login/registry-auth.ts'

const descriptionWidth = 45

export const command: Command = {
  usage: '[OPTIONS] TERM',
  operands: { min: 1, max: 1 },
  flags: [
    filterFlag('is-official=true'),
    { name: 'format', type: 'string', help: 'Format of the output, as a Go template' },
    { name: 'limit', type: 'int', help: 'Maximum number of results' },
    { name: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
  ],
  async run(context, flags, [term = '']) {
    const found = await context.client.registries.search(term, {
      limit: flags.number('limit'),
      filters: flags.filters(),
      registryAuth: await registryAuthFor(context, registryOf(term)),
    })
    const format = flags.string('format')
    const table = 'table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}'
    const layout = searchLayout({
      truncate: !flags.bool('no-trunc'),
      isJson: format.includes('json'),
    })
    context.output.write(formatList(found, format === '' || format === 'table' ? table : format, layout))
    return 0
  },
}

/** The registry to search: the host of `HOST/words`, or Docker Hub. */
function registryOf(term: string): string {
  const first = term.slice(0, Math.max(0, term.indexOf('/')))
  return /[.:]/.test(first) || first === 'localhost' ? first : 'docker.io'
}

function searchLayout({
  truncate,
  isJson,
}: {
  readonly truncate: boolean
  /** JSON has `true` and `false`; the other formats have a mark. */
  readonly isJson: boolean
}): ListLayout<SearchResult> {
  return {
    typeName: '*registry.searchContext',
    headings: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
    fields: {
      Name: ({ name }) => name,
      Description: ({ description }) => {
        const line = (description ?? '').replaceAll('\n', ' ').replaceAll('\r', '')
        return truncate ? ellipsis(line, descriptionWidth) : line
      },
      StarCount: ({ star_count: stars }) => String(stars),
      IsOfficial: ({ is_official: isOfficial }) => {
        if (isJson) return String(isOfficial)
        return isOfficial ? '[OK]' : ''
      },
    },
  }
}
