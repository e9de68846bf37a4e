/** Flags of the commands that list. */
import type { Flag } from '../flags/flag.ts'

const formatting = `'json': as JSON
'TEMPLATE': by a Go template
See https://docs.docker.com/go/formatting/ for templates`

/** `--format` of commands that show a table. */
export const tableFormatFlag: Flag = {
  name: 'format',
  type: 'string',
  help: `Form of the output:
'table': a table with headings (default)
'table TEMPLATE': a table by a Go template
${formatting}`,
}

/** `--format` of commands that show one object. */
export const formatFlag: Flag = {
  name: 'format',
  short: 'f',
  type: 'string',
  help: `Form of the output:\n${formatting}`,
}

/** `--filter` of commands that list. `example` appears in its help. */
export function filterFlag(example?: string): Flag {
  return {
    name: 'filter',
    short: 'f',
    type: 'filter',
    help:
      example === undefined
        ? 'Only what meets a condition (NAME=VALUE)'
        : `Only what meets a condition (e.g. "${example}")`,
  }
}
