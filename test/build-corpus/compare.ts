/** Builds the cases of a group with Berth and compares what becomes of them with what was recorded. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runBerth } from '../../src/cli/testing/run-cli.ts'
import { TestDaemon } from '../helpers/daemons/daemon.ts'
import { corpus } from './corpus.ts'
import type { CorpusCase } from './corpus-case.ts'
import { writeCorpusBase, writeCorpusContext } from './corpus-context.ts'
import { differences } from './differences.ts'
import { buildArguments, type ExpectedResult, failureOf } from './expected-result.ts'
import { filesOfArchive, imageFacts } from './image-facts.ts'

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'expected.json'), 'utf8')) as {
  readonly cases: Readonly<Record<string, ExpectedResult>>
}

/** One test a case. */
export function compareGroup(group: string): void {
  const work = mkdtempSync('/tmp/b-corpus-')
  let daemon: TestDaemon
  let base: ReadonlyMap<string, string>
  before(async () => {
    daemon = await TestDaemon.start()
    await writeCorpusBase(join(work, 'base.tar'))
    await daemon.ok(['load', '-i', join(work, 'base.tar')])
    base = await filesOfArchive(join(work, 'base.tar'))
  })
  after(async () => {
    await daemon[Symbol.asyncDispose]()
    rmSync(work, { recursive: true, force: true })
  })
  for (const one of corpus[group] ?? assert.fail(`there is no group ${group}`)) {
    test(one.name, async () => {
      const line = one.line ?? one.dockerfile.trimEnd().split('\n').length
      const record = recorded.cases[one.name] ?? assert.fail('it was not recorded')
      const stock = comparable(record, line)
      const difference = differences[one.name]
      const expected = difference === undefined ? stock : comparable(difference.expected(record), line)
      const actual = comparable(await build(one), 0)
      assert.deepEqual(actual, expected)
      if (difference !== undefined) assert.notDeepEqual(actual, stock, 'it is listed as a difference and is none')
    })
  }

  async function build(one: CorpusCase): Promise<ExpectedResult> {
    const context = mkdtempSync(join(work, 'c-'))
    mkdirSync(join(context, 'in'))
    await writeCorpusContext(join(context, 'in'), one)
    const archive = join(context, 'image.tar')
    const args = [
      'build',
      '--progress',
      'quiet',
      '--provenance=false',
      '-o',
      `type=oci,dest=${archive}`,
      ...buildArguments(one, join(context, 'in')),
    ]
    const { exitCode, stderr } = await runBerth(['-H', `unix://${daemon.socket}`, ...args])
    if (exitCode !== 0) return { error: failureOf(stderr) }
    return { image: await imageFacts(archive, base) }
  }
}

/** Messages without their places, which stand beside them. The recorded engine tells the line only of what it can't
 *  parse, Berth of every error: `usualLine` stands for a line that was not told. */
function comparable(result: ExpectedResult, usualLine: number): ExpectedResult {
  if (!('error' in result)) return result
  const { message, line = usualLine } = result.error
  const text = message.replace(/^dockerfile parse error (?:on )?line \d+: /i, '').replace(/ \(did you mean .*\?\)$/, '')
  return { error: { message: text, ...(line === 0 ? {} : { line }) } }
}
