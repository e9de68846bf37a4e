/** Life cycles of containers through the official CLI. */

import type { Engine } from '../engine.ts'
import { timed, type Work } from '../work.ts'

const idle = ['busybox', 'sleep', '1000']
const name = 'bench'

function removeNamed(engine: Engine): Promise<unknown> {
  return engine.docker(['rm', '-f', name], { mayFail: true })
}

export const containerWorks: readonly Work[] = [
  {
    key: 'run',
    title: '`run --rm … true`',
    unit: 'ms',
    rounds: 15,
    budget: { docker: 0.2, podman: 0.25 },
    measure: (engine) => engine.docker(['run', '--rm', 'busybox', 'true']),
  },
  {
    key: 'run-none',
    title: 'the same, `--network none`',
    unit: 'ms',
    rounds: 15,
    budget: { docker: 0.2, podman: 0.36 },
    measure: (engine) => engine.docker(['run', '--rm', '--network', 'none', 'busybox', 'true']),
  },
  {
    key: 'run-d',
    title: '`run -d`',
    unit: 'ms',
    rounds: 12,
    budget: { docker: 0.2, podman: 0.45 },
    async measure(engine) {
      await removeNamed(engine)
      return engine.docker(['run', '-d', '--name', name, ...idle])
    },
    tidy: async (engine) => void (await removeNamed(engine)),
  },
  {
    key: 'rm',
    title: '`rm -f` of a running container',
    unit: 'ms',
    rounds: 12,
    budget: { docker: 0.35 },
    async measure(engine) {
      await engine.docker(['run', '-d', '--name', name, ...idle])
      return engine.docker(['rm', '-f', name])
    },
  },
  {
    key: 'exec',
    title: '`exec c true`',
    unit: 'ms',
    rounds: 20,
    budget: { docker: 0.45, podman: 0.4 },
    prepare: async (engine) => void (await engine.docker(['run', '-d', '--name', name, ...idle])),
    measure: (engine) => engine.docker(['exec', name, 'true']),
    tidy: async (engine) => void (await removeNamed(engine)),
  },
  {
    key: 'api',
    title: 'API alone: create, start, wait',
    unit: 'ms',
    rounds: 15,
    budget: { docker: 0.13, podman: 0.15 },
    async measure(engine) {
      let id = ''
      const ms = await timed(async () => {
        id = await create(engine, ['true'])
        await engine.api('POST', `/containers/${id}/start`)
        await engine.api('POST', `/containers/${id}/wait`)
      })
      await engine.api('DELETE', `/containers/${id}?force=1`)
      return ms
    },
  },
  {
    key: 'api-remove',
    title: 'API alone: create, start, wait, remove',
    unit: 'ms',
    rounds: 15,
    measure: (engine) =>
      timed(async () => {
        const id = await create(engine, ['true'])
        await engine.api('POST', `/containers/${id}/start`)
        await engine.api('POST', `/containers/${id}/wait`)
        await engine.api('DELETE', `/containers/${id}`)
      }),
  },
  {
    key: 'parallel',
    title: '40 × `run -d`, 8 at a time',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    budget: { docker: 0.2, podman: 0.45 },
    async measure(engine) {
      const ms = await timed(() => atATime(8, 40, () => engine.docker(['run', '-d', ...idle])))
      await engine.removeAllContainers()
      return ms
    },
  },
]

/** Creates a container through the API, and gives its id. */
export async function create(engine: Engine, command: readonly string[]): Promise<string> {
  const answer = await engine.api('POST', '/containers/create', { Image: 'busybox', Cmd: command })
  return (JSON.parse(answer) as { Id: string }).Id
}

/** Runs `work` `count` times, at most `limit` at the same time. */
export async function atATime(limit: number, count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await work()
    }
  }
  await Promise.all(Array.from({ length: limit }, lane))
}
