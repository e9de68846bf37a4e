/** The text that an image's history shows for an instruction, in the same form as Docker's builder. */
import type { OciHealthcheck } from '../../oci/index.ts'
import type { Instruction, Step } from '../dockerfile/index.ts'
import { argumentsOf, exposedPorts, proxyArguments } from '../dockerfile/index.ts'

/** Makes the text. `args` are the stage's arguments, with values, that a RUN sees. Undefined for instructions without a
 *  history entry. */
export function historyText(
  { instruction, command, after }: Step,
  args: ReadonlyMap<string, string | undefined>,
): string | undefined {
  switch (instruction.kind) {
    case 'RUN': {
      const seen = [...args].filter(([name, value]) => value !== undefined && !proxyArguments.includes(name))
      const prefix =
        seen.length === 0 ? '' : `|${seen.length} ${seen.map(([name, value]) => `${name}=${value}`).join(' ')} `
      return `RUN ${prefix}${(command ?? []).join(' ')} # buildkit`
    }
    case 'COPY':
    case 'ADD':
      return copyText(instruction)
    case 'ENV':
    case 'LABEL':
      return `${instruction.kind} ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`
    case 'ARG':
      return `ARG ${instruction.args.map(({ name, fallback }) => (fallback === undefined ? name : `${name}=${fallback}`)).join(' ')}`
    case 'CMD':
    case 'ENTRYPOINT': {
      const words = argumentsOf(instruction.command, after.config)
      return `${instruction.kind} [${words.map((word) => JSON.stringify(word)).join(' ')}]`
    }
    case 'EXPOSE': {
      const ports = new Set(instruction.words.flatMap(({ text }) => exposedPorts(text)))
      return `EXPOSE map[${[...ports]
        .sort()
        .map((port) => `${port}:{}`)
        .join(' ')}]`
    }
    case 'VOLUME':
      return `VOLUME [${instruction.words.map(({ text }) => text).join(' ')}]`
    case 'SHELL':
      return `SHELL [${instruction.shell.join(' ')}]`
    case 'USER':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return `${instruction.kind} ${instruction.text.text}`
    case 'WORKDIR':
      return `WORKDIR ${after.config.WorkingDir ?? '/'}`
    case 'HEALTHCHECK':
      return healthcheckText(after.config.Healthcheck ?? {})
    case 'ONBUILD':
      // ONBUILD runs in images built from this one, not in this one.
      return undefined
  }
}

/** The structure as Go's `%q` formats it. */
function healthcheckText({ Test = [], Retries = 0, ...times }: OciHealthcheck): string {
  const { Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0 } = times
  const durations = [Interval, Timeout, StartPeriod, StartInterval].map((ns) => `"${formatDuration(ns)}"`)
  return `HEALTHCHECK &{[${Test.map((word) => JSON.stringify(word)).join(' ')}] ${durations.join(' ')} ${quoteRune(Retries)}}`
}

/** A duration as Go prints it: `1h0m0s`, `1m30s`, `3s`, `1.5ms`. */
function formatDuration(ns: number): string {
  if (ns === 0) return '0s'
  if (ns < 1e9) {
    const [unit, name] = ns < 1e3 ? [1, 'ns'] : ns < 1e6 ? [1e3, 'µs'] : [1e6, 'ms']
    return `${ns / (unit as number)}${name}`
  }
  const minutes = Math.floor(ns / 60e9)
  const seconds = `${(ns - minutes * 60e9) / 1e9}s`
  if (minutes === 0) return seconds
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}

/** A number as Go's `%q` quotes a character. */
function quoteRune(code: number): string {
  const short: Readonly<Record<number, string>> = {
    7: '\\a',
    8: '\\b',
    9: '\\t',
    10: '\\n',
    11: '\\v',
    12: '\\f',
    13: '\\r',
    39: "\\'",
    92: '\\\\',
  }
  const text = code < 32 || code === 127 ? `\\x${code.toString(16).padStart(2, '0')}` : String.fromCodePoint(code)
  return `'${short[code] ?? text}'`
}

function copyText(instruction: Extract<Instruction, { kind: 'COPY' | 'ADD' }>): string {
  const sources = instruction.sources.map((source) => (source.kind === 'path' ? source.path : `<<${source.name}`))
  const destination = instruction.writtenDestination ?? instruction.destination.text
  return [instruction.kind, ...sources, destination, '# buildkit'].join(' ')
}
