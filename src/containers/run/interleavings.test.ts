/** Runs verbs of containers concurrently, without a kernel: in every order of their steps, or in many random orders.
 *  After each step the record matches the runtime and the events are in order. At the end no lock, sandbox, mount or
 *  waiter is left (`test/fakes/life-rules.ts`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Action, id, type Mishap, play, type Scene } from '../../../test/fakes/interleaving.ts'
import { eachOrder } from '../../../test/fakes/orders.ts'
import { Random } from '../../../test/helpers/random.ts'
import { isKind, messageOf } from '../../base/index.ts'
import { connectContainer } from '../connections/connect.ts'
import { renameContainer } from '../create/rename.ts'
import { updateContainer } from '../create/update.ts'
import { attachContainer } from '../streams/attach.ts'
import { pauseContainer, unpauseContainer } from './pause.ts'
import { removeContainer } from './remove.ts'
import { startContainer } from './start.ts'
import { killContainer, restartContainer, stopContainer } from './stop.ts'

const start: Action = ({ context }) => startContainer(context, id)
const stop: Action = ({ context }) => stopContainer(context, id, {})
const kill: Action = ({ context }) => killContainer(context, id, 'KILL')
const restart: Action = ({ context }) => restartContainer(context, id, {})
const pause: Action = ({ context }) => pauseContainer(context, id)
const unpause: Action = ({ context }) => unpauseContainer(context, id)
const remove: Action = ({ context }) => removeContainer(context, id, { force: false, volumes: false })
const removeForced: Action = ({ context }) => removeContainer(context, id, { force: true, volumes: false })
const rename: Action = async ({ context, host, told }) => {
  const name = `name-${host.newPid()}`
  await renameContainer(context, id, name)
  told.set('name', (record) => record.name === name)
}
const update: Action = async ({ context, told }) => {
  await updateContainer(context, id, { CpuShares: 512 })
  told.set('limits', ({ hostConfig }) => hostConfig.CpuShares === 512)
}
const restartNoMore: Action = async ({ context, told }) => {
  await updateContainer(context, id, { RestartPolicy: { Name: 'no' } })
  told.set('restart policy', ({ hostConfig }) => hostConfig.RestartPolicy?.Name === 'no')
}
const connect: Action = async ({ context, leases, told }) => {
  for (const network of leases.networks.slice(1)) await connectContainer(context, id, network, {})
  told.set('network', ({ networks }) => networks?.other !== undefined)
}
const exec: Action = async ({ execs }) => {
  const { Id } = await execs.create(id, { Cmd: ['true'] })
  await execs.start(Id, { detach: true, tty: false })
}
const attach: Action = async ({ context }) => {
  const options = { stdin: false, stdout: true, stderr: true, stream: true, logs: false }
  const source = await attachContainer(context, id, options)
  const sink = { write: () => true, onDrain() {}, onClose() {}, end() {} }
  // The attachment lasts as long as the container runs.
  void source.run({ sink, input: undefined }).catch(ignoreRefusal)
}
const ignoreRefusal = (error: unknown): void => {
  if (!isKind(error, 'conflict') && !isKind(error, 'notFound') && !messageOf(error).endsWith('failed by the test')) {
    throw error
  }
}
/** The program ends by itself. */
const exit: Action = async ({ host }) => {
  const run = host.runs.get(id)
  if (run?.status === 'running') host.exit(run, 1)
}

const verbs: Readonly<Record<string, Action>> = {
  ...{ start, stop, kill, restart, pause, unpause, remove, removeForced, rename, update, restartNoMore, connect },
  ...{ exec, attach, exit },
}
const all = Object.values(verbs)

const always = { RestartPolicy: { Name: 'always' } } as const
const once = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } } as const
const autoRemove = { AutoRemove: true } as const

const scenes: Readonly<Record<string, Scene>> = {
  'two starts': { from: 'created', actions: [start, start] },
  'start and rm': { from: 'created', actions: [start, remove] },
  'start and rm -f': { from: 'created', actions: [start, removeForced] },
  'start and rename': { from: 'created', actions: [start, rename] },
  'start and update': { from: 'created', actions: [start, update] },
  'start and exit': { from: 'created', actions: [start, exit] },
  'start and exit with a restart policy': { from: 'created', hostConfig: once, actions: [start, exit] },
  'start and stop': { from: 'created', actions: [start, stop] },
  'start and kill': { from: 'exited', actions: [start, kill] },
  'start and pause': { from: 'exited', actions: [start, pause] },
  'start and exec': { from: 'exited', actions: [start, exec] },
  'start and attach': { from: 'created', actions: [start, attach, stop] },
  'start and connect': { from: 'created', actions: [start, connect] },
  'start and rm -f of a container with --rm': {
    from: 'created',
    hostConfig: autoRemove,
    actions: [start, removeForced],
  },
  'stop and exit with a restart policy': { from: 'running', hostConfig: always, actions: [stop, exit] },
  'stop and start': { from: 'running', actions: [stop, start] },
  'stop and rm -f': { from: 'running', actions: [stop, removeForced] },
  'stop and rm -f of a container with --rm': { from: 'running', hostConfig: autoRemove, actions: [stop, removeForced] },
  'stop and rename': { from: 'running', actions: [stop, rename] },
  'two stops of a program that ignores SIGTERM': { from: 'running', ignoresTerm: true, actions: [stop, stop] },
  'kill and exit with a restart policy': { from: 'running', hostConfig: always, actions: [kill, exit] },
  'pause and stop': { from: 'running', actions: [pause, stop] },
  'pause and kill': { from: 'running', actions: [pause, kill] },
  'pause and exit': { from: 'running', actions: [pause, exit] },
  'pause and rm -f': { from: 'running', actions: [pause, removeForced] },
  'pause and exec': { from: 'running', actions: [pause, exec, unpause] },
  'pause and restart': { from: 'running', actions: [pause, restart] },
  'unpause and stop': { from: 'paused', actions: [unpause, stop] },
  'unpause and rm -f': { from: 'paused', actions: [unpause, removeForced] },
  'unpause and kill': { from: 'paused', actions: [unpause, kill] },
  'exec and rm -f': { from: 'running', actions: [exec, removeForced] },
  'exec and exit': { from: 'running', actions: [exec, exit] },
  'exec and stop': { from: 'running', actions: [exec, stop] },
  'update and exit': { from: 'running', actions: [update, exit] },
  'update of the restart policy and exit': {
    from: 'running',
    hostConfig: always,
    actions: [restartNoMore, exit, stop],
  },
  'rename and exit': { from: 'running', actions: [rename, exit] },
  'rename and rm -f': { from: 'running', actions: [rename, removeForced] },
  'connect and exit': { from: 'running', actions: [connect, exit] },
  'connect and rm -f': { from: 'running', actions: [connect, removeForced] },
  'restart and rm -f': { from: 'running', actions: [restart, removeForced] },
  'restart and stop': { from: 'running', actions: [restart, stop] },
  'restart and start': { from: 'exited', actions: [restart, start] },
  'two restarts': { from: 'running', actions: [restart, restart] },
  'start and rm -f of a container with a volume': { from: 'created', volume: true, actions: [start, removeForced] },
  'exit and rm of a container with a volume': { from: 'running', volume: true, actions: [exit, remove, removeForced] },
  'two rm -f': { from: 'running', actions: [removeForced, removeForced] },
  'rm and rm -f': { from: 'exited', actions: [remove, removeForced] },
  'the restart policy and stop': { from: 'restarting', hostConfig: always, actions: [stop] },
  'the restart policy and start': { from: 'restarting', hostConfig: always, actions: [start, stop] },
  'the restart policy and rm -f': { from: 'restarting', hostConfig: always, actions: [removeForced] },
  'the restart policy and restart': { from: 'restarting', hostConfig: always, actions: [restart, stop] },
}

/** Larger than the number of orders in any of these scenes, so every order is tried. */
const maxOrders = 2000
const ordersOfMishap = 3
const randomScenes = Number(process.env.BERTH_INTERLEAVINGS ?? 1000)

for (const [name, scene] of Object.entries(scenes)) {
  test(`${name}: the rules hold in every order of the steps`, async () => {
    const { isComplete } = await eachOrder(maxOrders, async (choose) => {
      await play(scene, choose)
    })
    assert.ok(isComplete)
  })

  test(`${name}: the rules hold after a boot, no matter where the daemon was killed`, async () => {
    const { effects } = await play(scene, () => 0)
    for (let killAt = 0; killAt < effects; killAt += 1) {
      for (let seed = 0; seed < ordersOfMishap; seed += 1) {
        await playByChance(scene, killAt * ordersOfMishap + seed, { killAt })
      }
    }
  })

  test(`${name}: the rules hold, no matter which step fails`, async () => {
    const { fallible } = await play(scene, () => 0)
    for (let failAt = 0; failAt < fallible; failAt += 1) {
      for (let seed = 0; seed < ordersOfMishap; seed += 1) {
        await playByChance(scene, failAt * ordersOfMishap + seed, { failAt })
      }
    }
  })
}

test('any three verbs: the rules hold, even when the daemon is killed and steps fail', async () => {
  for (let seed = 1; seed <= randomScenes; seed += 1) {
    const random = new Random(seed)
    const from = random.pick(['created', 'running', 'paused', 'exited', 'restarting'] as const)
    const policies = from === 'restarting' ? [always] : [{}, always, once, autoRemove]
    const actions = [random.pick(all), random.pick(all), random.pick(all)]
    const chance = () => random.below(4) === 0
    const scene = { from, actions, hostConfig: random.pick(policies), ignoresTerm: chance(), volume: chance() }
    const mishap = {
      killAt: random.below(2) === 0 ? random.below(40) : undefined,
      failAt: random.below(3) === 0 ? random.below(8) : undefined,
    }
    await playByChance(scene, seed, mishap)
  }
})

async function playByChance(scene: Scene, seed: number, mishap: Mishap): Promise<void> {
  const random = new Random(seed)
  try {
    await play(scene, (options) => random.below(options), mishap)
  } catch (cause) {
    const shown = JSON.stringify({ ...scene, actions: scene.actions.map(nameOf), ...mishap, seed })
    throw new Error(`${shown}: ${messageOf(cause)}`, { cause })
  }
}

function nameOf(action: Action): string {
  return Object.entries(verbs).find(([, one]) => one === action)?.[0] ?? '?'
}
