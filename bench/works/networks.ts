/** The speed of containers' networks: bytes by iperf3, and name lookups by dnsperf. Both are Debian's, in an image
 *  made of the host's own files. The amount is fixed, so a faster engine needs less time. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findProgram } from '../../test/helpers/command.ts'
import type { Engine } from '../engine.ts'
import type { Images } from '../images.ts'
import { timed, type Work } from '../work.ts'

const server = 'bench-server'
const client = 'bench-client'
const network = 'bench-net'
const port = 5201
const bytes = '4G'
/** The number of lines in dnsperf's file, and how often it reads the file. */
const names = 1000
const rounds = 20

async function start(engine: Engine, images: Images): Promise<void> {
  await engine.docker(['load', '-q', '-i', await images.network(fillWithTools)])
  await engine.docker(['network', 'create', network])
  const options = ['--network', network, '-p', `${port}:${port}`]
  await engine.docker(['run', '-d', '--name', server, ...options, 'network', 'iperf3', '-s'])
  await engine.docker(['run', '-d', '--name', client, '--network', network, 'network', 'sleep', '1000'])
}

async function tidy(engine: Engine): Promise<void> {
  await engine.docker(['rm', '-f', server, client], { mayFail: true })
  await engine.docker(['network', 'rm', network], { mayFail: true })
}

/** Runs a program in the engine's network, where the host's own programs are. Throws when it fails. */
async function onHost(engine: Engine, command: readonly string[]): Promise<void> {
  const [code] = (await once(await engine.join(command), 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`)
}

export const networkWorks: readonly Work[] = [
  {
    key: 'iperf',
    title: `iperf3, ${bytes}B from container to container`,
    unit: 'ms',
    rounds: 5,
    budget: { docker: 1 },
    without: ['podman'],
    prepare: start,
    measure: (engine) => engine.docker(['exec', client, 'iperf3', '-c', server, '-n', bytes]),
    tidy,
  },
  {
    key: 'iperf-published',
    title: `iperf3, ${bytes}B from the host through a published port`,
    unit: 'ms',
    rounds: 5,
    budget: { docker: 1 },
    without: ['podman'],
    prepare: start,
    measure: (engine) => timed(() => onHost(engine, ['iperf3', '-c', '127.0.0.1', '-p', String(port), '-n', bytes])),
    tidy,
  },
  {
    key: 'dns',
    title: `${(names * rounds) / 1000} 000 questions for names of containers`,
    unit: 'ms',
    rounds: 5,
    budget: { docker: 1 },
    without: ['podman'],
    prepare: start,
    measure: (engine) =>
      engine.docker(['exec', client, 'dnsperf', '-s', '127.0.0.11', '-d', '/names', '-n', String(rounds), '-c', '4']),
    tidy,
  },
]

/** Copies the programs and the libraries that they need. */
function fillWithTools(rootfs: string): void {
  for (const name of ['iperf3', 'dnsperf']) {
    const program = findProgram(name)
    if (program === undefined) throw new Error(`${name} is not installed (Debian: apt-get install ${name})`)
    const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? []
    for (const path of [program, ...libraries]) {
      mkdirSync(join(rootfs, dirname(path)), { recursive: true })
      copyFileSync(path, join(rootfs, path))
    }
  }
  mkdirSync(join(rootfs, 'tmp'), { recursive: true })
  const questions = Array.from({ length: names }, (_, index) => `${index % 2 === 0 ? server : client} A\n`)
  writeFileSync(join(rootfs, 'names'), questions.join(''))
}
