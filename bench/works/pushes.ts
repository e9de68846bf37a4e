/** Pushes of images to a registry that has none of their layers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Engine, runTimed } from '../engine.ts'
import type { Work } from '../work.ts'

const pushed = '127.0.0.1:5000/large'

export const pushWorks: readonly Work[] = [
  {
    key: 'push',
    title: '`push` of the 460 MB image to a local registry, the first after its load',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.8 },
    without: ['podman'],
    async measure(engine, images) {
      // Loaded again, so that nothing is left that was compressed for an earlier push.
      await engine.docker(['load', '-q', '-i', await images.large()])
      try {
        return await push(engine, 'large')
      } finally {
        await engine.docker(['rmi', '-f', pushed, 'large'])
      }
    },
  },
  {
    key: 'push-again',
    title: '`push` of the same to another registry',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.5 },
    without: ['podman'],
    async prepare(engine, images) {
      await engine.docker(['load', '-q', '-i', await images.large()])
      await push(engine, 'large')
    },
    measure: (engine) => push(engine, 'large'),
    tidy: async (engine) => void (await engine.docker(['rmi', '-f', pushed, 'large'])),
  },
]

/** Pushes to a new registry, and gives the time. */
async function push(engine: Engine, image: string): Promise<number> {
  const root = mkdtempSync('/tmp/bb-r-')
  const config = join(root, 'config.yml')
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${root}/storage}}\nhttp: {addr: '127.0.0.1:5000'}\n`,
  )
  const registry = await engine.join(['docker-registry', 'serve', config])
  try {
    await sleep(500)
    await engine.docker(['tag', image, pushed])
    await runTimed(['sync'])
    return await engine.docker(['push', '-q', pushed])
  } finally {
    const ended = new Promise((resolve) => registry.once('exit', resolve))
    registry.kill('SIGKILL')
    await ended
    rmSync(root, { recursive: true, force: true })
  }
}
