/** 200 MB out of a running container and into it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../engine.ts'
import type { Work } from '../work.ts'

const container = 'bench-copy'
const script = 'dd if=/dev/urandom of=/large bs=1000000 count=200 2>/dev/null; exec sleep 1000'
const directories = new Map<Engine, string>()

/** Prepares a container with a large file, and a copy of the file outside. */
const both: Pick<Work, 'prepare' | 'tidy'> = {
  async prepare(engine) {
    await engine.docker(['run', '-d', '--name', container, '--network', 'none', 'busybox', 'sh', '-c', script])
    await engine.docker(['exec', container, 'sh', '-c', 'while pidof dd; do sleep 0.1; done'])
    const directory = mkdtempSync('/tmp/bb-c-')
    directories.set(engine, directory)
    await engine.docker(['cp', '-q', `${container}:/large`, join(directory, 'large')])
  },
  async tidy(engine) {
    await engine.docker(['rm', '-f', container])
    rmSync(directories.get(engine) ?? '', { recursive: true, force: true })
    directories.delete(engine)
  },
}

export const copyWorks: readonly Work[] = [
  {
    key: 'cp-out',
    title: '`cp` of 200 MB out of a container, the bytes dropped by the client',
    unit: 'ms',
    rounds: 5,
    quickRounds: 3,
    budget: { docker: 1 },
    measure: (engine) => engine.docker(['cp', `${container}:/large`, '-']),
    ...both,
  },
  {
    key: 'cp-in',
    title: '`cp` of 200 MB into a container',
    unit: 'ms',
    rounds: 5,
    quickRounds: 3,
    budget: { docker: 1 },
    measure: (engine) => engine.docker(['cp', '-q', join(directories.get(engine) ?? '', 'large'), `${container}:/in`]),
    ...both,
  },
]
