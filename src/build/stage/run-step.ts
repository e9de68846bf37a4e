/** RUN: a process in the stage's root, whose changes become a layer.
 *  https://docs.docker.com/reference/dockerfile/#run */

import { hash } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import { CommandFailedError } from '../build-errors.ts'
import { DockerfileError, type RunInstruction } from '../dockerfile/index.ts'
import { makeLayer } from '../layer/make-layer.ts'
import { foreignProgramProblem } from '../run/foreign-program.ts'
import { type MountPoints, noteMountPoints, removeMountPoints } from '../run/mount-points.ts'
import { runCommand } from '../run/run-command.ts'
import { inputsOf, layerStep, type StepLayer } from './layer-step.ts'
import { describeMounts, prepareMounts } from './run-mounts.ts'
import type { StepPlace } from './step-place.ts'

/** Carries one out. Throws `CommandFailedError` when the process fails. */
export async function runStep(place: StepPlace): Promise<StepLayer> {
  const { run, step } = place
  const instruction = step.instruction as RunInstruction
  checkAllowed(place, instruction)
  checkDevices(place, instruction)
  const mounts = await describeMounts(place, instruction)
  const { command } = instruction
  const values: Record<string, string> = {
    command: JSON.stringify(step.command ?? []),
    cwd: step.before.config.WorkingDir ?? '/',
    user: step.before.config.User ?? '',
    network: instruction.network === 'default' ? run.runOptions.network : instruction.network,
    security: instruction.security,
    ...(run.runOptions.extraHosts.length === 0 ? {} : { hosts: JSON.stringify(run.runOptions.extraHosts) }),
    ...(command.form === 'script' ? { script: hash('sha256', command.content, 'hex') } : {}),
  }
  for (const line of step.environment ?? []) {
    const equals = line.indexOf('=')
    values[`env:${line.slice(0, equals)}`] = line.slice(equals + 1)
  }
  for (const [index, mount] of mounts.entries()) values[`mount:${index}`] = mount
  return await layerStep(place, {
    inputs: inputsOf(place, `RUN ${commandText(place)}`, values),
    make: () => makeRunLayer(place, instruction),
  })
}

async function makeRunLayer(place: StepPlace, instruction: RunInstruction) {
  const { run, state, step, vertex } = place
  let points: MountPoints | undefined
  const insecure = instruction.security === 'insecure'
  const labels = run.parts.labels?.allocate(insecure ? ['disable'] : [])
  using _labels = { [Symbol.dispose]: () => run.parts.labels?.release(labels?.process ?? '') }
  const options = {
    below: state.layers,
    holds: run.holds,
    latestNs: run.latestNs,
    isMapped: run.parts.settings.remap !== undefined,
    labels,
    afterwards: (changes: string) => {
      if (points !== undefined) removeMountPoints(changes, points)
    },
  }
  return await makeLayer(run.parts, options, async (root) => {
    await using mounts = await prepareMounts(place, instruction, root)
    points = noteMountPoints(root.rootfs, mounts.targets)
    place.running(root.id)
    const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
    const tell = (stream: 'stdout' | 'stderr', text: string) => {
      if (text !== '') vertex.log(stream === 'stdout' ? 1 : 2, text)
    }
    const { config } = step.before
    const ended = await runCommand(
      run.parts,
      root,
      {
        args: step.command ?? [],
        env: [...(step.environment ?? []), ...run.proxies, ...mounts.env],
        cwd: config.WorkingDir || '/',
        user: config.User ?? '',
        network: instruction.network,
        insecure,
        binds: mounts.binds,
        tmpfs: mounts.tmpfs,
      },
      run.runOptions,
      { onOutput: (stream, chunk) => tell(stream, decoders[stream].write(chunk)), signal: run.host.signal },
    )
    tell('stdout', decoders.stdout.end())
    tell('stderr', decoders.stderr.end())
    if (ended.exitCode === 0) return undefined
    const [name = ''] = step.command ?? []
    const program = { name, env: step.environment ?? [], cwd: config.WorkingDir || '/' }
    const reason = foreignProgramProblem(root.rootfs, program, place.stage.platform)
    throw new CommandFailedError(commandText(place), ended.exitCode, instruction.line, { ...ended, reason })
  })
}

function commandText({ step }: StepPlace): string {
  return (step.command ?? []).join(' ')
}

/** Steps get no devices: what they can do without is left out. */
function checkDevices({ step, vertex }: StepPlace, { devices }: RunInstruction): void {
  const needed = devices.find(({ required }) => required)
  if (needed !== undefined) {
    const { line } = step.instruction
    const problem = `required device ${needed.name} is not available: steps of a build get no devices`
    throw new DockerfileError(problem, { source: line.source, range: line.range }, { parsing: false })
  }
  for (const { name } of devices)
    vertex.log(2, `WARNING: device ${name} is left out: steps of a build get no devices\n`)
}

function checkAllowed({ run, step }: StepPlace, { network, security }: RunInstruction): void {
  const needed = [
    ...(security === 'insecure' ? ['security.insecure'] : []),
    ...(network === 'host' ? ['network.host'] : []),
  ]
  for (const entitlement of needed) {
    if (run.runOptions.allow.has(entitlement)) continue
    const { line } = step.instruction
    throw new DockerfileError(
      `${entitlement} is not allowed`,
      { source: line.source, range: line.range },
      { parsing: false },
    )
  }
}
