/** `npm run bench`: compares Berth with Docker and Podman. Each round measures every engine once, in turn, so that
 *  other load of the machine affects all of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { berthFrom, Engine, engineKinds } from './engine.ts'
import { Images } from './images.ts'
import { type BenchOptions, help, parseOptions } from './options.ts'
import { describeMachine, formatTable, type Row, toJson } from './report.ts'
import type { Work } from './work.ts'
import { buildWorks } from './works/builds.ts'
import { byteWorks } from './works/bytes.ts'
import { commitWorks } from './works/commits.ts'
import { containerWorks } from './works/containers.ts'
import { copyWorks } from './works/copies.ts'
import { crowdWorks } from './works/crowds.ts'
import { networkWorks } from './works/networks.ts'
import { pushWorks } from './works/pushes.ts'
import { registryWorks } from './works/registry.ts'

const works: readonly Work[] = [
  ...containerWorks,
  ...crowdWorks,
  ...byteWorks,
  ...commitWorks,
  ...copyWorks,
  ...networkWorks,
  ...buildWorks,
  ...pushWorks,
  ...registryWorks,
]

/** Aborted by a signal: the bench then removes everything that it started. */
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const options = parseOptions(process.argv.slice(2))
if (options === undefined) {
  process.stdout.write(`${help}Works: ${works.map(({ key }) => key).join(' ')}\n`)
} else if (process.getuid?.() !== 0) {
  console.error('the bench starts engines and needs root')
  process.exitCode = 1
} else {
  await bench(options)
}

async function bench(options: BenchOptions): Promise<void> {
  const chosen = works.filter(({ key }) => options.only.length === 0 || options.only.includes(key))
  const directory = mkdtempSync('/tmp/bb-i-')
  const images = new Images(directory)
  const engines: Engine[] = []
  const rows: Row[] = []
  try {
    const machine = await startEngines(options, images, engines)
    for (const work of chosen) {
      if (stop.signal.aborted) break
      try {
        rows.push(await measure(work, engines, images, options))
      } catch (error) {
        // The other works are still worth measuring.
        console.error(`${work.key}:`, error)
        process.exitCode = 1
        continue
      }
      process.stderr.write(`${formatTable(rows.slice(-1), names(engines)).split('\n').at(-1)}\n`)
    }
    const path = options.output ?? resultPath()
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, toJson(machine, rows))
    console.log(`${JSON.stringify(machine)}\n\n${formatTable(rows, names(engines))}\n\n${path}`)
  } finally {
    for (const engine of engines) await engine.stop()
    await images.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function startEngines(options: BenchOptions, images: Images, engines: Engine[]) {
  const before = describeMachine({})
  const kinds = engineKinds.filter(({ name }) => options.engines.includes(name))
  if (options.before !== undefined) kinds.push(berthFrom(options.before, 'before'))
  for (const kind of kinds) {
    const engine = await Engine.start(kind)
    if (engine === undefined) {
      process.stderr.write(`${kind.name} is not installed and left out\n`)
      continue
    }
    engines.push(engine)
    await engine.docker(['load', '-q', '-i', await images.busybox()])
  }
  return { ...before, versions: Object.fromEntries(engines.map(({ name, version }) => [name, version])) }
}

async function measure(work: Work, all: readonly Engine[], images: Images, options: BenchOptions): Promise<Row> {
  const engines = all.filter(({ name }) => work.without?.includes(name) !== true)
  const rounds = options.rounds ?? (options.quick ? (work.quickRounds ?? Math.ceil(work.rounds / 3)) : work.rounds)
  const samples = new Map<string, number[]>(engines.map(({ name }) => [name, []]))
  for (const engine of engines) await work.prepare?.(engine, images)
  const isCheap = work.rounds > 3
  for (let round = isCheap ? -1 : 0; round < rounds; round++) {
    // Every other round runs backwards, so that no engine always follows the same one.
    for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
      stop.signal.throwIfAborted()
      const value = await work.measure(engine, images)
      if (round >= 0) samples.get(engine.name)?.push(value)
    }
  }
  for (const engine of engines) await work.tidy?.(engine)
  return { work, samples }
}

function names(engines: readonly Engine[]): string[] {
  return engines.map(({ name }) => name)
}

function resultPath(): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  return join(import.meta.dirname, 'results', `${time}.json`)
}
