/** Making images from the files of containers. */
import type { Work } from '../work.ts'

const container = 'bench-commit'
const image = 'bench-committed'

/** Prepares a container that has run `script`, and so changed files. */
function changed(script: string): Pick<Work, 'prepare' | 'tidy'> {
  return {
    prepare: async (engine) =>
      void (await engine.docker(['run', '--name', container, '--network', 'none', 'busybox', 'sh', '-c', script])),
    tidy: async (engine) => void (await engine.docker(['rm', '-f', container])),
  }
}

const large = 'dd if=/dev/urandom of=/large bs=1000000 count=100 2>/dev/null'
const many = 'mkdir /many; i=0; while [ $i -lt 20000 ]; do echo $i >/many/$i; i=$((i+1)); done'

async function commit(engine: Parameters<Work['measure']>[0]): Promise<number> {
  const ms = await engine.docker(['commit', container, image])
  await engine.docker(['rmi', '-f', image])
  return ms
}

export const commitWorks: readonly Work[] = [
  {
    key: 'commit',
    title: '`commit` of a 100 MB change',
    unit: 'ms',
    rounds: 5,
    quickRounds: 2,
    budget: { docker: 0.8 },
    measure: commit,
    ...changed(large),
  },
  {
    key: 'commit-many',
    title: '`commit` of 20 000 small files',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    measure: commit,
    ...changed(many),
  },
  {
    key: 'export',
    title: '`export` of 100 MB, the bytes dropped by the client',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    measure: (engine) => engine.docker(['export', container]),
    ...changed(large),
  },
]
