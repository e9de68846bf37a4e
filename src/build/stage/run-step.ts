/** RUN: runs a process in the stage's root. Its changes become a layer.
 *  https://docs.docker.com/reference/dockerfile/#run */

import { hash } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import { cleanUpAfter } from '../../base/index.ts'
import { DockerfileError, type RunInstruction } from '../dockerfile/index.ts'
import { makeLayer } from '../layer/make-layer.ts'
import { CommandFailedError } from '../model/build-errors.ts'
import { foreignProgramProblem } from '../run/foreign-program.ts'
import { type MountPoints, noteMountPoints, removeMountPoints } from '../run/mount-points.ts'
import { runCommand } from '../run/run-command.ts'
import { inputsOf, layerStep, type StepLayer } from './layer-step.ts'
import { describeMounts, prepareMounts } from './run-mounts.ts'
import type { StepPlace } from './step-place.ts'

/** Runs the step. Throws `CommandFailedError` when the process fails. */
export async function runStep(place: StepPlace): Promise<StepLayer> {
  const { run, step } = place
  const instruction = step.instruction as RunInstruction
  checkAllowed(place, instruction)
  const devices = await findDevices(place, instruction)
  const mounts = await describeMounts(place, instruction)
  const { command } = instruction
  const values: Record<string, string> = {
    command: JSON.stringify(step.command ?? []),
    cwd: step.before.config.WorkingDir ?? '/',
    user: step.before.config.User ?? '',
    network: instruction.network === 'default' ? run.runOptions.network : instruction.network,
    security: instruction.security,
    ...(run.runOptions.extraHosts.length === 0 ? {} : { hosts: JSON.stringify(run.runOptions.extraHosts) }),
    ...(devices.length === 0 ? {} : { devices: devices.join(',') }),
    ...(command.form === 'script' ? { script: hash('sha256', command.content, 'hex') } : {}),
  }
  for (const line of step.environment ?? []) {
    const equals = line.indexOf('=')
    values[`env:${line.slice(0, equals)}`] = line.slice(equals + 1)
  }
  for (const [index, mount] of mounts.entries()) values[`mount:${index}`] = mount
  return await layerStep(place, {
    inputs: inputsOf(place, `RUN ${commandText(place)}`, values),
    make: () => makeRunLayer(place, instruction, devices),
  })
}

async function makeRunLayer(place: StepPlace, instruction: RunInstruction, devices: readonly string[]) {
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
  return await makeLayer(run.parts, options, (root) =>
    cleanUpAfter(run.parts.logger, async (cleanUp) => {
      const mounts = await prepareMounts(place, instruction, root, cleanUp)
      const targets = devices.length === 0 ? [] : await run.parts.devices.targets(devices)
      points = noteMountPoints(root.rootfs, [...mounts.targets, ...targets])
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
          devices,
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
    }),
  )
}

function commandText({ step }: StepPlace): string {
  return (step.command ?? []).join(' ')
}

/** The host devices for the step. Optional devices may be missing. A device that exists needs the client's entitlement,
 *  unless the device's CDI file allows it for all builds. */
async function findDevices({ run, step, vertex }: StepPlace, { devices }: RunInstruction): Promise<readonly string[]> {
  const { allow } = run.runOptions
  const names: string[] = []
  for (const { name: asked, required } of devices) {
    const found = await run.parts.devices.find(asked)
    if (found.length === 0 && required) throw refused(step, `required device ${asked} is not available`)
    if (found.length === 0) vertex.log(2, `WARNING: device ${asked} is left out: it is not available\n`)
    for (const { name, isFree } of found) {
      const isAllowed = isFree || allow.has('device') || allow.has(`device=${name}`) || allow.has(`device=${asked}`)
      if (!isAllowed) throw refused(step, `device ${name} is not allowed`)
      names.push(name)
    }
  }
  return [...new Set(names)]
}

function refused({ instruction: { line } }: StepPlace['step'], problem: string): DockerfileError {
  return new DockerfileError(problem, { source: line.source, range: line.range }, { parsing: false })
}

function checkAllowed({ run, step }: StepPlace, { network, security }: RunInstruction): void {
  const needed = [
    ...(security === 'insecure' ? ['security.insecure'] : []),
    ...(network === 'host' ? ['network.host'] : []),
  ]
  for (const entitlement of needed) {
    if (!run.runOptions.allow.has(entitlement)) throw refused(step, `${entitlement} is not allowed`)
  }
}
