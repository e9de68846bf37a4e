/** Applies instructions to an image's configuration. Pure: each change gives a new value.
 *  https://docs.docker.com/reference/dockerfile/ */
import type { OciHealthcheck, OciRuntimeDefaults } from '../../../oci/index.ts'
import { exposedPorts } from '../instructions/expose-ports.ts'
import type {
  Command,
  HealthcheckInstruction,
  Instruction,
  PairsInstruction,
  TextInstruction,
  WordsInstruction,
} from '../instructions/instruction.ts'
import { isSignal } from '../instructions/stop-signal.ts'
import { absolutePath } from '../paths/container-path.ts'
import { evaluationError } from './global-scope.ts'

/** The configuration of a stage at one point of its build. */
export interface StageImage {
  readonly config: OciRuntimeDefaults
  /** From MAINTAINER. */
  readonly author?: string
  /** CMD was set in this stage, so ENTRYPOINT does not clear it. */
  readonly commandSet: boolean
}

/** The PATH when neither image nor Dockerfile sets one. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const defaultShell = ['/bin/sh', '-c']

/** The configuration that a stage starts with: the parent's, without triggers, and with `commandSet` false. For scratch
 *  (undefined), the default PATH and `/`. */
export function initialImage(parent: OciRuntimeDefaults | undefined, author?: string): StageImage {
  const by = author === undefined ? {} : { author }
  if (parent === undefined)
    return { config: { Env: [`PATH=${defaultPath}`], WorkingDir: '/' }, commandSet: false, ...by }
  const { OnBuild: _, ...config } = parent
  return { config, commandSet: false, ...by }
}

/** The configuration after an instruction whose variables are expanded. Instructions that only touch files change
 *  nothing. Throws `DockerfileError` for an invalid port or signal. */
export function applyToConfig(image: StageImage, instruction: Instruction): StageImage {
  switch (instruction.kind) {
    case 'ENV':
    case 'LABEL':
      return withConfig(image, pairsChange(image.config, instruction))
    case 'EXPOSE':
    case 'VOLUME':
      return withConfig(image, setChange(image.config, instruction))
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return withConfig(image, textChange(image.config, instruction))
    case 'MAINTAINER':
      return { ...image, author: instruction.text.text }
    case 'CMD': {
      const Cmd = argumentsOf(instruction.command, image.config)
      return { ...withConfig(image, { Cmd, ArgsEscaped: true }), commandSet: true }
    }
    case 'ENTRYPOINT': {
      const Entrypoint = argumentsOf(instruction.command, image.config)
      // A parent's CMD was meant for the parent's entry point.
      return withConfig(image, image.commandSet ? { Entrypoint } : { Entrypoint, Cmd: null })
    }
    case 'HEALTHCHECK':
      return withConfig(image, { Healthcheck: healthcheckOf(instruction) })
    case 'SHELL':
      return withConfig(image, { Shell: instruction.shell })
    case 'ONBUILD':
      return withConfig(image, { OnBuild: [...(image.config.OnBuild ?? []), instruction.trigger] })
    case 'ARG':
    case 'RUN':
    case 'COPY':
    case 'ADD':
      return image
  }
}

/** The command line of a command: as it is, or with the stage's shell in front. */
export function argumentsOf(command: Command, config: OciRuntimeDefaults): readonly string[] {
  if (command.form === 'exec') return command.args
  const shell = config.Shell ?? []
  return [...(shell.length === 0 ? defaultShell : shell), command.text]
}

/** Gives `Env` with `key` set, in place if it exists, else at the end. */
function withVariable(env: readonly string[] | null | undefined, key: string, value: string): readonly string[] {
  const line = `${key}=${value}`
  const lines = env ?? []
  const at = lines.findIndex((one) => one === key || one.startsWith(`${key}=`))
  return at === -1 ? [...lines, line] : lines.with(at, line)
}

function withConfig(image: StageImage, change: OciRuntimeDefaults): StageImage {
  const entries = Object.entries({ ...image.config, ...change }).filter(([, value]) => value !== null)
  return { ...image, config: Object.fromEntries(entries) }
}

function pairsChange(config: OciRuntimeDefaults, { kind, pairs }: PairsInstruction): OciRuntimeDefaults {
  if (kind === 'LABEL') {
    return { Labels: { ...config.Labels, ...Object.fromEntries(pairs.map(({ key, value }) => [key, value])) } }
  }
  let env = config.Env ?? []
  for (const { key, value } of pairs) env = withVariable(env, key, value)
  return { Env: env }
}

function setChange(config: OciRuntimeDefaults, { kind, words, line }: WordsInstruction): OciRuntimeDefaults {
  const additions = words.flatMap(({ text, offset }) => {
    if (kind === 'VOLUME') return [text]
    const ports = exposedPorts(text)
    if (typeof ports === 'string') throw evaluationError(line, ports, offset)
    return ports
  })
  const added = Object.fromEntries(additions.map((one) => [one, {}]))
  return kind === 'VOLUME'
    ? { Volumes: { ...config.Volumes, ...added } }
    : { ExposedPorts: { ...config.ExposedPorts, ...added } }
}

function textChange(config: OciRuntimeDefaults, instruction: TextInstruction): OciRuntimeDefaults {
  const { text, offset } = instruction.text
  if (instruction.kind === 'USER') return { User: text }
  if (instruction.kind === 'WORKDIR') return { WorkingDir: absolutePath(config.WorkingDir ?? '/', text) }
  if (!isSignal(text)) throw evaluationError(instruction.line, `invalid signal: ${text}`, offset)
  return { StopSignal: text }
}

function healthcheckOf(instruction: HealthcheckInstruction): OciHealthcheck {
  const { command } = instruction
  if (command === undefined) return { Test: ['NONE'] }
  const times = {
    Interval: instruction.intervalNs,
    Timeout: instruction.timeoutNs,
    StartPeriod: instruction.startPeriodNs,
    StartInterval: instruction.startIntervalNs,
    Retries: instruction.retries,
  }
  const given = Object.entries(times).filter(([, value]) => value !== undefined)
  const Test = command.form === 'exec' ? ['CMD', ...command.args] : ['CMD-SHELL', command.text]
  return { Test, ...Object.fromEntries(given) }
}
