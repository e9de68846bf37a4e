/** `--change` of import and commit: Dockerfile instructions that change an image's runtime defaults.
 *  The instructions: https://docs.docker.com/reference/dockerfile/ */
import { posix } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import type { OciRuntimeDefaults } from '../../oci/index.ts'
import { parseHealthcheck } from './healthcheck-change.ts'
import { expandWord, splitWords, type Variables } from './shell-word.ts'

type Editable = { -readonly [K in keyof OciRuntimeDefaults]: OciRuntimeDefaults[K] }

/** What the instructions so far have set. */
interface State {
  readonly config: Editable
  hasCommand: boolean
}

/** The runtime defaults after these instructions. Throws `invalidArgument`, with Docker's text, for an instruction that
 *  can't be applied. */
export function applyChanges(config: OciRuntimeDefaults, changes: readonly string[]): OciRuntimeDefaults {
  const lines = instructionsOf(changes)
  if (changes.length > 0 && lines.length === 0) throw invalidArgument('file with no instructions')
  const state: State = { config: { ...config }, hasCommand: false }
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(line) ?? []
    applyOne(state, name, rest.trim())
  }
  return state.config
}

/** The instructions of all lines. A backslash at the end continues a line; comments and blank lines are skipped. */
function instructionsOf(changes: readonly string[]): string[] {
  const found: string[] = []
  let open = ''
  for (const line of changes.flatMap((text) => text.split(/\r?\n/))) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const goesOn = /\\[ \t]*$/.test(line)
    open += open === '' ? line.trimStart() : line
    if (goesOn) open = open.replace(/\\[ \t]*$/, '')
    else {
      found.push(open.trim())
      open = ''
    }
  }
  return open.trim() === '' ? found : [...found, open.trim()]
}

function applyOne(state: State, name: string, rest: string): void {
  const key = name.toUpperCase()
  const apply = Object.hasOwn(instructions, key) ? instructions[key] : undefined
  if (apply === undefined) throw invalidArgument(`${name} is not a valid change command`)
  const takes = oneArgument.has(key) ? 'exactly one argument' : 'at least one argument'
  if (rest === '' && !mayBeBare.has(key)) throw invalidArgument(`${key} requires ${takes}`)
  apply(state, rest)
}

const mayBeBare: ReadonlySet<string> = new Set(['CMD', 'ENTRYPOINT'])
const oneArgument: ReadonlySet<string> = new Set(['USER', 'WORKDIR', 'STOPSIGNAL'])

const instructions: Readonly<Record<string, (state: State, rest: string) => void>> = {
  CMD(state, rest) {
    state.config.Cmd = commandOf(rest)
    state.hasCommand = true
  },
  ENTRYPOINT(state, rest) {
    const entrypoint = commandOf(rest)
    state.config.Entrypoint = entrypoint.length === 0 ? null : entrypoint
    // A new entry point drops the image's command, which belonged to the old one.
    if (!state.hasCommand) state.config.Cmd = null
  },
  ENV({ config }, rest) {
    for (const [name, value] of pairsOf('ENV', rest, variablesOf(config))) {
      const lines = [...(config.Env ?? [])]
      const at = lines.findIndex((line) => line.split('=')[0] === name)
      lines.splice(at === -1 ? lines.length : at, at === -1 ? 0 : 1, `${name}=${value}`)
      config.Env = lines
    }
  },
  LABEL({ config }, rest) {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf('LABEL', rest, variablesOf(config))) }
  },
  EXPOSE({ config }, rest) {
    const ports = splitWords(rest).flatMap((word) => portsOf(expandWord(word, variablesOf(config))))
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
  },
  VOLUME({ config }, rest) {
    const paths = (arrayOf(rest) ?? rest.split(/\s+/)).map((path) => expandWord(path, variablesOf(config)))
    if (paths.length === 0) throw invalidArgument('VOLUME requires at least one argument')
    if (paths.includes('')) throw invalidArgument('VOLUME specified can not be an empty string')
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) }
  },
  USER({ config }, rest) {
    config.User = expandWord(rest, variablesOf(config))
  },
  WORKDIR({ config }, rest) {
    const path = expandWord(rest, variablesOf(config))
    const cleaned = posix.normalize(posix.join('/', path.startsWith('/') ? '' : (config.WorkingDir ?? ''), path))
    config.WorkingDir = cleaned.length > 1 ? cleaned.replace(/\/$/, '') : cleaned
  },
  STOPSIGNAL({ config }, rest) {
    config.StopSignal = expandWord(rest, variablesOf(config))
  },
  ONBUILD({ config }, rest) {
    const trigger = (rest.split(/\s/)[0] ?? '').toUpperCase()
    if (trigger === 'ONBUILD') throw invalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if (trigger === 'MAINTAINER' || trigger === 'FROM') {
      throw invalidArgument(`${trigger} isn't allowed as an ONBUILD trigger`)
    }
    config.OnBuild = [...(config.OnBuild ?? []), rest]
  },
  HEALTHCHECK({ config }, rest) {
    config.Healthcheck = parseHealthcheck(rest, arrayOf)
  },
}

function variablesOf({ Env }: Editable): Variables {
  const pairs = (Env ?? []).map((line): [string, string] => {
    const [name = '', ...value] = line.split('=')
    return [name, value.join('=')]
  })
  return new Map(pairs)
}

/** A JSON array is the command itself; other text runs in the shell. */
function commandOf(text: string): string[] {
  return arrayOf(text) ?? ['/bin/sh', '-c', ...(text === '' ? [] : [text])]
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

/** Parses ports: `80`, `80/udp`, `8000-8010/tcp`. */
function portsOf(text: string): string[] {
  const [range = '', protocol = 'tcp'] = text.split('/')
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? []
  if (first === undefined || Number(last) > 65_535) throw invalidArgument(`invalid containerPort: ${range}`)
  if (Number(first) > Number(last)) throw invalidArgument(`invalid range specified for port: ${range}`)
  if (!/^(tcp|udp|sctp)$/i.test(protocol)) throw invalidArgument(`invalid proto: ${protocol}`)
  const ports: string[] = []
  for (let port = Number(first); port <= Number(last); port += 1) ports.push(`${port}/${protocol.toLowerCase()}`)
  return ports
}

/** Parses `a=b "c d"=e`, or the old form `key all the rest`. */
function pairsOf(name: string, text: string, variables: Variables): [key: string, value: string][] {
  const words = splitWords(text)
  const [first = ''] = words
  if (!first.includes('=')) {
    const value = text.slice(first.length).trim()
    if (value === '') throw invalidArgument(`${name} must have two arguments`)
    return [[expandWord(first, variables), expandWord(value, variables)]]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals === -1) {
      throw invalidArgument(`Syntax error - can't find = in "${word}". Must be of the form: name=value`)
    }
    const key = expandWord(word.slice(0, equals), variables)
    if (key === '') throw invalidArgument(`${name} names can not be blank`)
    return [key, expandWord(word.slice(equals + 1), variables)]
  })
}
