/** The command line of the bench. */
import { parseArgs } from 'node:util'

/** The options of the bench. */
export interface BenchOptions {
  /** Fewer rounds, to try a change. */
  readonly quick: boolean
  /** The keys of the works to measure; empty: all. */
  readonly only: readonly string[]
  /** The names of the engines to measure. */
  readonly engines: readonly string[]
  /** The file for the JSON. Default: bench/results/<time>.json. */
  readonly output: string | undefined
}

/** The usage text. */
export const help = `Usage: npm run bench -- [--quick] [--only KEY,…] [--engines berth,docker,podman] [--output FILE]
Measures Berth side by side with Docker and Podman, where they are installed. Needs root.
`

/** Parses the command line. Undefined when it asks for help. Throws for an unknown option. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      engines: { type: 'string', default: 'berth,docker,podman' },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    quick: values.quick,
    only: words(values.only),
    engines: words(values.engines),
    output: values.output,
  }
}

function words(list: string): string[] {
  return list.split(',').filter((word) => word !== '')
}
