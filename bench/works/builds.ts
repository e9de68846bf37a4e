/** Builds through the official command line with each engine's own builder (dockerd's classic one). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../engine.ts'
import { timed, type Work } from '../work.ts'

const files = 3_000
const many = 20_000
const bytesEach = 2_000

const tenSteps = `FROM busybox
WORKDIR /app
RUN echo 1 >/one
COPY src /app/src
RUN find /app/src -type f | wc -l >/count
ENV A=b
RUN echo 2 >/two
RUN cat /app/src/d1/* >/cat
COPY Dockerfile /df
RUN ls -lR /app >/ls
CMD ["cat", "/count"]
`

/** Each stage works for a while on its own; the last one takes from all. */
const fourStages = `${['a', 'b', 'c', 'd']
  .map((name) => `FROM busybox AS ${name}\nRUN i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; echo $i >/${name}\n`)
  .join('')}FROM busybox\n${['a', 'b', 'c', 'd'].map((name) => `COPY --from=${name} /${name} /\n`).join('')}`

const copyAll = 'FROM busybox\nCOPY src /src\n'

let directory: string | undefined

/** A context with so many files. */
function context(name: string, dockerfile: string, count: number): string {
  directory ??= mkdtempSync('/tmp/bb-b-')
  const path = join(directory, name)
  for (let index = 0; index < count; index += 1) {
    const place = join(path, 'src', `d${index % 30}`)
    if (index < 30) mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `f${index}`), `${index}${'x'.repeat(bytesEach)}`)
  }
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'Dockerfile'), dockerfile)
  return path
}

const contexts = new Map<string, string>()

function build(
  engine: Engine,
  name: string,
  dockerfile: string,
  count: number,
  flags: readonly string[],
): Promise<number> {
  const path = contexts.get(name) ?? context(name, dockerfile, count)
  contexts.set(name, path)
  return timed(() => engine.docker(['build', '-q', ...flags, path]))
}

function removeContexts(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  directory = undefined
  contexts.clear()
}

process.once('exit', removeContexts)

export const buildWorks: readonly Work[] = [
  {
    key: 'build',
    title: '`build`, 10 steps, 3 000 files, nothing cached',
    unit: 'ms',
    rounds: 5,
    quickRounds: 2,
    budget: { docker: 0.25 },
    measure: (engine) => build(engine, 'ten', tenSteps, files, ['--no-cache']),
  },
  {
    key: 'build-cached',
    title: 'the same, all cached',
    unit: 'ms',
    rounds: 8,
    budget: { docker: 0.3 },
    measure: (engine) => build(engine, 'ten', tenSteps, files, []),
  },
  {
    key: 'build-stages',
    title: '`build` of four stages that need nothing of each other',
    unit: 'ms',
    rounds: 4,
    quickRounds: 2,
    budget: { docker: 0.66 },
    measure: (engine) => build(engine, 'four', fourStages, 0, ['--no-cache']),
  },
  {
    key: 'build-copy',
    title: '`COPY` of 20 000 files',
    unit: 'ms',
    rounds: 3,
    quickRounds: 1,
    measure: (engine) => build(engine, 'copy', copyAll, many, ['--no-cache']),
  },
]
