/** Splits a command line into flags and operands by the rules of Go's pflag, which Docker's CLI uses: `-it`,
 *  `-p80:80`, `-m=1g`, `--name x`, `--name=x`, `--tty=false`, `--`. `parseArgs` of `node:util` has neither pflag's
 *  kinds of values nor its messages. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { checkFlagValue, type Flag, isRepeatable } from './flag.ts'
import { FlagValues } from './flag-values.ts'

/** The flags and operands of a command line. */
export interface ParsedArguments {
  readonly flags: FlagValues
  readonly operands: readonly string[]
  /** True for `--help` and `-h`. Nothing behind it was checked. */
  readonly help: boolean
  /** True for `-h`. */
  readonly helpByShort: boolean
}

const helpFlag: Flag = { name: 'help', type: 'bool', help: 'Show this help' }

/** Parses the words. Throws `invalidArgument` with pflag's text. If `interspersed` is false, the first operand ends the
 *  flags. */
export function parseFlags(
  args: readonly string[],
  flags: readonly Flag[],
  { interspersed = true }: { readonly interspersed?: boolean } = {},
): ParsedArguments {
  return new FlagParser(args, flags).parse(interspersed)
}

class FlagParser {
  readonly #args: readonly string[]
  readonly #byName = new Map<string, Flag>()
  readonly #byShort = new Map<string, Flag>()
  readonly #values = new Map<string, string[]>()
  readonly #operands: string[] = []
  #next = 0
  #help = false
  #helpByShort = false

  constructor(args: readonly string[], flags: readonly Flag[]) {
    this.#args = args
    for (const flag of [helpFlag, ...flags]) {
      this.#byName.set(flag.name, flag)
      if (flag.short !== undefined) this.#byShort.set(flag.short, flag)
    }
  }

  parse(interspersed: boolean): ParsedArguments {
    while (this.#next < this.#args.length && !this.#help) {
      const arg = this.#args[this.#next++] ?? ''
      if (arg === '--') {
        this.#operands.push(...this.#args.slice(this.#next))
        break
      }
      if (arg.startsWith('--')) this.#long(arg)
      else if (arg.startsWith('-') && arg.length > 1) this.#shorts(arg)
      else if (interspersed) this.#operands.push(arg)
      else {
        this.#operands.push(arg, ...this.#args.slice(this.#next))
        break
      }
    }
    const defaultTrue = [...this.#byName.values()].filter((flag) => flag.defaultTrue === true).map(({ name }) => name)
    const flags = new FlagValues(this.#values, new Set(defaultTrue))
    return { flags, operands: this.#operands, help: this.#help, helpByShort: this.#helpByShort }
  }

  #long(arg: string): void {
    const equals = arg.indexOf('=')
    const name = arg.slice(2, equals === -1 ? undefined : equals)
    if (name === '' || name.startsWith('-')) throw invalidArgument(`bad flag syntax: ${arg}`)
    const flag = this.#byName.get(name)
    if (flag === undefined) throw invalidArgument(`unknown flag: --${name}`)
    if (equals !== -1) this.#set(flag, arg.slice(equals + 1))
    else if (flag.type === 'bool') this.#set(flag, 'true')
    else this.#set(flag, this.#following(`flag needs an argument: ${arg}`))
  }

  /** Parses a group such as `-itp80:80`: switches, then at most one flag with a value. */
  #shorts(arg: string): void {
    let rest = arg.slice(1)
    while (rest !== '' && !this.#help) {
      const letter = rest.charAt(0)
      const flag = this.#byShort.get(letter)
      if (flag === undefined) {
        if (letter !== 'h') throw invalidArgument(`unknown shorthand flag: '${letter}' in -${rest}`)
        this.#help = true
        this.#helpByShort = true
        return
      }
      if (rest.length > 2 && rest.charAt(1) === '=') {
        this.#set(flag, rest.slice(2))
        return
      }
      if (flag.type !== 'bool') {
        this.#set(
          flag,
          rest.length > 1 ? rest.slice(1) : this.#following(`flag needs an argument: '${letter}' in -${rest}`),
        )
        return
      }
      this.#set(flag, 'true')
      rest = rest.slice(1)
    }
  }

  #following(missing: string): string {
    const value = this.#args[this.#next++]
    if (value === undefined) throw invalidArgument(missing)
    return value
  }

  #set(flag: Flag, value: string): void {
    let checked: string
    try {
      checked = checkFlagValue(flag, value)
    } catch (error) {
      const shown = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`
      throw invalidArgument(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: ${messageOf(error)}`, {
        cause: error,
      })
    }
    if (flag.name === helpFlag.name) this.#help = ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)
    const known = this.#values.get(flag.name)
    if (known !== undefined && isRepeatable(flag.type)) known.push(...splitStrings(flag, checked))
    else this.#values.set(flag.name, splitStrings(flag, checked))
  }
}

/** Flags of type `strings` also accept several values separated by commas. */
function splitStrings(flag: Flag, value: string): string[] {
  return flag.type === 'strings' ? value.split(',') : [value]
}
