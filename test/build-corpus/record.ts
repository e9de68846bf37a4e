/** Records what Debian's docker makes of each case, with its BuildKit:
 *
 *      sudo bin/node test/build-corpus/record.ts
 *
 *  writes `expected.json` anew. Needs the package docker.io (its CLI has BuildKit's client up to version 20.10; later
 *  ones need docker-buildx) and busybox-static. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../helpers/command.ts'
import { StockDocker } from '../helpers/daemons/stock-docker.ts'
import { corpus } from './corpus.ts'
import type { CorpusCase } from './corpus-case.ts'
import { writeCorpusBase, writeCorpusContext } from './corpus-context.ts'
import { buildArguments, type ExpectedResult, failureOf } from './expected-result.ts'
import { filesOfArchive, imageFacts } from './image-facts.ts'

const program = '/usr/bin/docker'
const work = mkdtempSync('/tmp/b-corpus-')
await using docker = await StockDocker.start()
try {
  await writeCorpusBase(join(work, 'base.tar'))
  await docker.ok(['load', '-i', join(work, 'base.tar')])
  const base = await filesOfArchive(join(work, 'base.tar'))
  const expected: Record<string, ExpectedResult> = {}
  for (const one of Object.values(corpus).flat()) {
    expected[one.name] = await record(one, base)
    process.stdout.write(`${one.name}: ${'error' in (expected[one.name] ?? {}) ? 'error' : 'image'}\n`)
  }
  const version = (
    await runCommand(program, ['-H', docker.host, 'version', '--format', '{{.Server.Version}}'])
  ).stdout.trim()
  const text = JSON.stringify({ engine: `docker ${version}, BuildKit`, cases: expected }, undefined, 1)
  writeFileSync(join(import.meta.dirname, 'expected.json'), `${text}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function record(one: CorpusCase, base: ReadonlyMap<string, string>): Promise<ExpectedResult> {
  const context = join(work, 'context')
  rmSync(context, { recursive: true, force: true })
  mkdirSync(context)
  await writeCorpusContext(context, one)
  const args = ['-H', docker.host, 'build', '--progress', 'plain', '-t', 'made', ...buildArguments(one, context)]
  const { code, stderr } = await runCommand(program, args, { env: { DOCKER_BUILDKIT: '1' }, timeoutMs: 120_000 })
  if (code !== 0) return { error: failureOf(stderr) }
  const archive = join(work, 'made.tar')
  await docker.ok(['save', '-o', archive, 'made'])
  return { image: await imageFacts(archive, base) }
}
