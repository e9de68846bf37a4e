/** Builds of Dockerfiles. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Work } from '../work.ts'

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

/** Each stage works for a while independently; the last one copies from all. */
const fourStages = `${['a', 'b', 'c', 'd']
  .map((name) => `FROM busybox AS ${name}\nRUN i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; echo $i >/${name}\n`)
  .join('')}FROM busybox\n${['a', 'b', 'c', 'd'].map((name) => `COPY --from=${name} /${name} /\n`).join('')}`

const copyAll = 'FROM busybox\nCOPY src /src\n'

let directory: string | undefined

/** Makes a context with this many files. */
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

interface Build {
  readonly key: string
  readonly title: string
  readonly context: 'ten' | 'four' | 'copy'
  readonly isCached?: boolean
  readonly rounds: number
  readonly quickRounds?: number
  /** The limits against dockerd's classic builder, and against BuildKit. */
  readonly classic?: number
  readonly buildkit?: number
}

const dockerfiles = { ten: [tenSteps, files], four: [fourStages, 0], copy: [copyAll, many] } as const

function pathOf(name: Build['context']): string {
  const [dockerfile, count] = dockerfiles[name]
  const path = contexts.get(name) ?? context(name, dockerfile, count)
  contexts.set(name, path)
  return path
}

function removeContexts(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  directory = undefined
  contexts.clear()
}

process.once('exit', removeContexts)

/** Measures each build twice: through the official CLI (dockerd: the classic builder), and with the engine's own client
 *  (dockerd: BuildKit). */
function worksOf({ key, title, context, isCached = false, rounds, quickRounds, classic, buildkit }: Build): Work[] {
  const flags = isCached ? ['-q'] : ['-q', '--no-cache']
  const common = { unit: 'ms', rounds, ...(quickRounds === undefined ? {} : { quickRounds }) } as const
  return [
    {
      ...common,
      key,
      title: `${title}, \`docker build\``,
      ...(classic === undefined ? {} : { budget: { docker: classic } }),
      measure: (engine) => engine.docker(['build', ...flags, pathOf(context)]),
    },
    {
      ...common,
      key: `${key}-own`,
      title: 'the same by `berth build`, BuildKit, `podman build`',
      ...(buildkit === undefined ? {} : { budget: { docker: buildkit } }),
      measure: (engine) => engine.build([...flags, pathOf(context)]),
    },
  ]
}

const builds: readonly Build[] = [
  {
    key: 'build',
    title: 'build of 10 steps, 3 000 files, nothing cached',
    context: 'ten',
    rounds: 5,
    quickRounds: 2,
    classic: 0.25,
    buildkit: 0.9,
  },
  {
    key: 'build-cached',
    title: 'the same, all cached',
    context: 'ten',
    isCached: true,
    rounds: 8,
    classic: 0.3,
    buildkit: 0.5,
  },
  {
    key: 'build-stages',
    title: 'build of four stages that need nothing of each other',
    context: 'four',
    rounds: 4,
    quickRounds: 2,
    classic: 0.66,
  },
  {
    key: 'build-copy',
    title: '`COPY` of 20 000 files',
    context: 'copy',
    rounds: 3,
    quickRounds: 1,
    buildkit: 0.8,
  },
]

export const buildWorks: readonly Work[] = builds.flatMap(worksOf)
