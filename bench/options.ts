/** The command line of the bench. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** The options of the bench. */
export interface BenchOptions {
  /** Fewer rounds, to try a change. */
  readonly quick: boolean
  /** The keys of the works to measure; empty: all. */
  readonly only: readonly string[]
  /** The number of rounds of each work, instead of its own. */
  readonly rounds: number | undefined
  /** The checkout of another version of Berth, measured as the engine `before`. */
  readonly before: string | undefined
  /** The names of the engines to measure. */
  readonly engines: readonly string[]
  /** The file for the JSON. Default: bench/results/<time>.json. */
  readonly output: string | undefined
}

/** The usage text. */
export const help = `Usage: npm run bench -- [--quick] [--only KEY,…] [--engines berth,docker,podman] [--before DIR] [--rounds N] [--output FILE]
Measures Berth side by side with Docker and Podman, where they are installed, and with the version of Berth whose
checkout --before names. Needs root.
`

/** Parses the command line. Undefined when it asks for help. Throws for an unknown option and a wrong value. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      engines: { type: 'string', default: 'berth,docker,podman' },
      before: { type: 'string' },
      rounds: { type: 'string' },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    quick: values.quick,
    only: words(values.only),
    rounds: values.rounds === undefined ? undefined : countOf(values.rounds),
    before: values.before === undefined ? undefined : resolve(values.before),
    engines: words(values.engines),
    output: values.output,
  }
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--rounds ${text}: give a number from 1 to 99999`)
  return Number(text)
}

function words(list: string): string[] {
  return list.split(',').filter((word) => word !== '')
}
