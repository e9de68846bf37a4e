/** Bytes through the engines: images in, output out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runTimed } from '../engine.ts'
import type { Work } from '../work.ts'

const line = 'a line of output that is about as long as most are'
const logged = 'bench-logs'
const pulled = '127.0.0.1:5000/large'

export const byteWorks: readonly Work[] = [
  {
    key: 'load',
    title: '`load`, 460 MB archive, 20 000 small files',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.35, podman: 0.3 },
    async measure(engine, images) {
      const archive = await images.large()
      await settleDisk()
      const ms = await engine.docker(['load', '-q', '-i', archive])
      await engine.docker(['rmi', '-f', 'large'])
      return ms
    },
  },
  {
    key: 'save',
    title: '`save` of it, the bytes dropped by the client',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.3, podman: 0.3 },
    prepare: async (engine, images) => void (await engine.docker(['load', '-q', '-i', await images.large()])),
    async measure(engine) {
      await settleDisk()
      return await engine.docker(['save', 'large'])
    },
  },
  {
    key: 'save-file',
    title: '`save -o` of it, which the client syncs to the disk',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    async measure(engine, images) {
      const path = `${await images.large()}.saved`
      await settleDisk()
      const ms = await engine.docker(['save', '-o', path, 'large'])
      rmSync(path, { force: true })
      return ms
    },
    tidy: async (engine) => void (await engine.docker(['rmi', '-f', 'large'])),
  },
  {
    key: 'pull',
    title: '`pull` of the same from a local registry',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.5 },
    // Podman 4.3 never ends its answer to this client.
    without: ['podman'],
    // Earlier works may have left its layers.
    prepare: async (engine) => void (await engine.docker(['rmi', '-f', 'large'], { mayFail: true })),
    async measure(engine, images) {
      const root = mkdtempSync('/tmp/bb-r-')
      const config = join(root, 'config.yml')
      const storage = await images.registryStorage()
      writeFileSync(
        config,
        `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${storage}}}\nhttp: {addr: '127.0.0.1:5000'}\n`,
      )
      const registry = await engine.join(['docker-registry', 'serve', config])
      try {
        await sleep(500)
        await settleDisk()
        const ms = await engine.docker(['pull', '-q', pulled])
        await engine.docker(['rmi', '-f', pulled])
        return ms
      } finally {
        const ended = new Promise((resolve) => registry.once('exit', resolve))
        registry.kill('SIGKILL')
        await ended
        rmSync(root, { recursive: true, force: true })
      }
    },
  },
  {
    key: 'attach',
    title: 'attached output, 100 MB of short lines',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.25, podman: 0.85 },
    measure: (engine) => engine.docker(['run', '--rm', 'busybox', 'sh', '-c', lines(100)]),
  },
  {
    key: 'logs',
    title: '`logs` of 50 MB of short lines',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.1, podman: 0.07 },
    async prepare(engine) {
      await engine.docker(['run', '-d', '--name', logged, 'busybox', 'sh', '-c', lines(50)])
      await engine.docker(['wait', logged])
    },
    measure: (engine) => engine.docker(['logs', logged]),
    tidy: async (engine) => void (await engine.docker(['rm', '-f', logged])),
  },
]

function lines(megabytes: number): string {
  return `yes '${line}' | head -c ${megabytes}000000`
}

/** Writes pending pages to the disk, so that one engine does not pay for another's. */
async function settleDisk(): Promise<void> {
  await runTimed(['sync'])
}
