/** `--change` of import and commit: Dockerfile instructions that edit an image's runtime defaults. */
import { invalidArgument } from '../base/index.ts'
import type { OciHealthcheck, OciRuntimeDefaults } from '../oci/index.ts'

type Editable = { -readonly [K in keyof OciRuntimeDefaults]: OciRuntimeDefaults[K] }

/** The defaults after these instructions. Throws `invalidArgument` for one that can't be applied. */
export function applyChanges(config: OciRuntimeDefaults, changes: readonly string[]): OciRuntimeDefaults {
  const edited: Editable = { ...config }
  for (const change of changes.flatMap((text) => text.split('\n'))) {
    const [, name = '', rest = ''] = /^\s*([A-Za-z]+)\s*([\s\S]*)$/.exec(change) ?? []
    if (change.trim() === '' || change.trim().startsWith('#')) continue
    applyOne(edited, name.toUpperCase(), rest.trim())
  }
  return edited
}

function applyOne(config: Editable, name: string, rest: string): void {
  const apply = instructions[name]
  if (apply === undefined) throw invalidArgument(`${name} is not a valid change command`)
  if (rest === '') throw invalidArgument(`${name} requires at least one argument`)
  apply(config, rest)
}

const instructions: Readonly<Record<string, (config: Editable, rest: string) => void>> = {
  CMD(config, rest) {
    config.Cmd = commandOf(rest)
  },
  ENTRYPOINT(config, rest) {
    config.Entrypoint = commandOf(rest)
  },
  ENV(config, rest) {
    const added = pairsOf('ENV', rest)
    const names = new Set(added.map(([key]) => key))
    const kept = (config.Env ?? []).filter((line) => !names.has(line.split('=')[0] ?? ''))
    config.Env = [...kept, ...added.map(([key, value]) => `${key}=${value}`)]
  },
  LABEL(config, rest) {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf('LABEL', rest)) }
  },
  EXPOSE(config, rest) {
    const ports = rest.split(/\s+/).map((port) => {
      if (!/^\d+(-\d+)?(\/(tcp|udp|sctp))?$/i.test(port)) throw invalidArgument(`invalid containerPort: ${port}`)
      return port.includes('/') ? port.toLowerCase() : `${port}/tcp`
    })
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
  },
  VOLUME(config, rest) {
    const paths = arrayOf(rest) ?? rest.split(/\s+/)
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) }
  },
  USER(config, rest) {
    config.User = rest
  },
  WORKDIR(config, rest) {
    const base = rest.startsWith('/') ? '' : (config.WorkingDir ?? '')
    config.WorkingDir = `${base}/${rest}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
  },
  STOPSIGNAL(config, rest) {
    config.StopSignal = rest
  },
  ONBUILD(config, rest) {
    config.OnBuild = [...(config.OnBuild ?? []), rest]
  },
  HEALTHCHECK(config, rest) {
    config.Healthcheck = healthcheckOf(rest)
  },
}

/** `["a", "b"]` as it stands, anything else through the shell. */
function commandOf(text: string): string[] {
  return arrayOf(text) ?? ['/bin/sh', '-c', text]
}

function arrayOf(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined
  } catch {
    return undefined // Not JSON: a shell command that begins with a bracket.
  }
}

/** `a=b "c d"=e` or the old `key all the rest`. */
function pairsOf(name: string, text: string): [key: string, value: string][] {
  const words = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? []
  const [first = ''] = words
  if (!first.includes('=')) {
    const space = text.search(/\s/)
    if (space === -1) throw invalidArgument(`${name} must have two arguments`)
    return [[unquote(first), text.slice(space).trim()]]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals === -1)
      throw invalidArgument(`Syntax error - can't find = in "${word}". Must be of the form: name=value`)
    return [unquote(word.slice(0, equals)), unquote(word.slice(equals + 1))]
  })
}

function unquote(word: string): string {
  return word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
    double === undefined ? String(single ?? escaped) : String(double).replace(/\\(.)/g, '$1'),
  )
}

function healthcheckOf(text: string): OciHealthcheck {
  if (/^none$/i.test(text)) return { Test: ['NONE'] }
  const check: { -readonly [K in keyof OciHealthcheck]: OciHealthcheck[K] } = {}
  let rest = text
  for (let match = optionPattern.exec(rest); match !== null; match = optionPattern.exec(rest)) {
    const [whole, name = '', value = ''] = match
    rest = rest.slice(whole.length)
    if (name === 'retries') check.Retries = Number(value)
    else {
      const key = ({ interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod' } as const)[name]
      check[key ?? 'StartInterval'] = nanoseconds(value)
    }
  }
  const command = /^CMD\s+([\s\S]+)$/i.exec(rest)?.[1]
  if (command === undefined) throw invalidArgument('Unknown type in HEALTHCHECK (try CMD)')
  const list = arrayOf(command)
  return { Test: list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list], ...check }
}

const optionPattern = /^--(interval|timeout|start-period|start-interval|retries)=(\S+)\s+/

function nanoseconds(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw invalidArgument(`time: invalid duration "${text}"`)
  let total = 0
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit] ?? 0)
  }
  return total
}
