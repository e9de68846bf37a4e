import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { until } from '../../test/helpers/wait.ts'
import type { OutputSink, OutputStream } from '../base/index.ts'
import { packOldLogs, type ReadLogsEnd, type ReadLogsOptions, readLogs, rotateLog } from './index.ts'

const home = mkdtempSync('/tmp/blog-')
after(() => rmSync(home, { recursive: true, force: true }))

class Sink implements OutputSink {
  readonly chunks: [OutputStream, string][] = []
  full = false
  #drain: () => void = () => {}
  #close: (() => void)[] = []
  onWrite: () => void = () => {}
  write(stream: OutputStream, chunk: Buffer): boolean {
    this.chunks.push([stream, chunk.toString()])
    this.onWrite()
    return !this.full
  }
  onDrain(callback: () => void): void {
    this.#drain = callback
  }
  onClose(callback: () => void): void {
    this.#close.push(callback)
  }
  end(): void {}
  drain(): void {
    this.full = false
    this.#drain()
  }
  leave(): void {
    for (const callback of this.#close) callback()
  }
  /** Resolves when exactly this was written. */
  async has(text: string): Promise<void> {
    await until(() => this.text === text, { what: () => JSON.stringify([text, this.text]), intervalMs: 1 })
  }
  get text(): string {
    return this.chunks.map(([, text]) => text).join('')
  }
}

let count = 0
function logFile(text: string): string {
  count += 1
  const path = join(home, `d${count}`)
  writeFileSync(path, text)
  return path
}

const at = (second: number, rest: string): string =>
  `2026-11-23T10:00:${String(second).padStart(2, '0')}.123456789+00:00 ${rest}\n`
const secondNs = (second: number): bigint => BigInt(Date.parse('2026-11-23T10:00:00Z') + second * 1000) * 1_000_000n

async function read(path: string, options: Partial<ReadLogsOptions> = {}, end: ReadLogsEnd = {}): Promise<Sink> {
  const sink = new Sink()
  await readLogs(path, { stdout: true, stderr: true, ...options }, sink, end)
  return sink
}

/** A log of the single line `0`, and a client that takes no more than that until `finish`. `finish` ends the log and
 *  returns everything that the client got. */
async function slowFollower() {
  const path = logFile(at(1, 'stdout F 0'))
  const ended = Promise.withResolvers<void>()
  const sink = new Sink()
  sink.full = true
  const met = Promise.withResolvers<void>()
  sink.onWrite = met.resolve
  const done = readLogs(path, { stdout: true, stderr: true, follow: true }, sink, { ended: ended.promise })
  await met.promise
  async function finish(): Promise<string> {
    ended.resolve()
    sink.drain()
    await done
    return sink.text
  }
  return { path, finish }
}

describe('readLogs', () => {
  const mixed = logFile(
    at(1, 'stdout F one') +
      at(2, 'stderr F two') +
      at(3, 'stdout P thr') +
      at(3, 'stdout F ee') +
      at(4, 'stdout F ') +
      at(5, 'stderr F five'),
  )

  it('returns the text by stream and joins parts of lines', async () => {
    assert.deepEqual((await read(mixed)).chunks, [
      ['stdout', 'one\n'],
      ['stderr', 'two\n'],
      ['stdout', 'three\n\n'],
      ['stderr', 'five\n'],
    ])
  })

  it('selects streams', async () => {
    assert.equal((await read(mixed, { stderr: false })).text, 'one\nthree\n\n')
    assert.equal((await read(mixed, { stdout: false })).text, 'two\nfive\n')
  })

  it('puts times before lines, not before their later parts', async () => {
    const time = (second: number) => `2026-11-23T10:00:0${second}.123456789Z `
    const { text } = await read(mixed, { timestamps: true })
    assert.equal(text, `${time(1)}one\n${time(2)}two\n${time(3)}three\n${time(4)}\n${time(5)}five\n`)
  })

  it('returns a span of time', async () => {
    assert.equal((await read(mixed, { sinceNs: secondNs(3) })).text, 'three\n\nfive\n')
    assert.equal((await read(mixed, { untilNs: secondNs(3) })).text, 'one\ntwo\n')
    assert.equal((await read(mixed, { sinceNs: secondNs(9) })).text, '')
  })

  it('returns the last lines and counts parts of a line as one', async () => {
    const expected = ['', 'five\n', '\nfive\n', 'three\n\nfive\n', 'two\nthree\n\nfive\n', 'one\ntwo\nthree\n\nfive\n']
    for (const [tail, text] of expected.entries()) assert.equal((await read(mixed, { tail })).text, text)
    assert.equal((await read(mixed, { tail: 100 })).text, 'one\ntwo\nthree\n\nfive\n')
  })

  it('ignores bytes that are not a line: a torn end, a broken header', async () => {
    const path = logFile(`${at(1, 'stdout F one')}garbage\n${at(2, 'stdout F two')}2026-11-23T10:00:03.1234`)
    assert.equal((await read(path)).text, 'one\ntwo\n')
    assert.equal((await read(path, { tail: 1 })).text, 'two\n')
  })

  it('takes a missing log as empty', async () => {
    assert.equal((await read(join(home, 'none'))).text, '')
  })

  it('finds tail and time in files of many blocks', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => {
      const second = Math.floor(index / 400)
      return at(second, `stdout F ${index} ${'x'.repeat(index % 97)}`)
    })
    const path = logFile(lines.join(''))
    const texts = lines.map((line) => line.slice(45))
    for (const tail of [1, 999, 5000, 19_999, 20_000]) {
      assert.equal((await read(path, { tail })).text, texts.slice(-tail).join(''))
    }
    assert.equal((await read(path, { sinceNs: secondNs(30) })).text, texts.slice(30 * 400).join(''))
    assert.equal((await read(path, { sinceNs: secondNs(0), untilNs: secondNs(2) })).text, texts.slice(0, 800).join(''))
    assert.equal((await read(path)).text, texts.join(''))
  })

  it('keeps long lines whole', async () => {
    const long = 'y'.repeat(20_000)
    const path = logFile(Array.from({ length: 40 }, () => at(1, `stdout P ${long}`) + at(1, 'stdout F .')).join(''))
    assert.equal((await read(path)).text, `${long}.\n`.repeat(40))
  })

  it('reads rotated files as one log', async () => {
    const path = logFile(at(3, 'stdout F three'))
    writeFileSync(`${path}.1`, at(2, 'stdout F two'))
    writeFileSync(`${path}.2`, at(1, 'stdout F one'))
    assert.equal((await read(path)).text, 'one\ntwo\nthree\n')
    assert.equal((await read(path, { tail: 2 })).text, 'two\nthree\n')
    assert.equal((await read(path, { sinceNs: secondNs(2) })).text, 'two\nthree\n')
  })

  it('waits for a full sink', async () => {
    const path = logFile(at(1, 'stdout F one') + at(2, 'stderr F two'))
    const sink = new Sink()
    sink.full = true
    const met = Promise.withResolvers<void>()
    sink.onWrite = met.resolve
    const done = readLogs(path, { stdout: true, stderr: true }, sink)
    await met.promise
    // Meanwhile another reader reaches the end.
    assert.equal((await read(path)).text, 'one\ntwo\n')
    assert.equal(sink.text, 'one\n')
    sink.drain()
    await done
    assert.equal(sink.text, 'one\ntwo\n')
  })

  it('returns as many lines as requested while more are written', async () => {
    const path = logFile(at(1, 'stdout F one') + at(2, 'stdout F two') + at(3, 'stdout F torn').slice(0, 47))
    const sink = new Sink()
    sink.full = true
    const done = readLogs(path, { stdout: true, stderr: true, tail: 2 }, sink)
    sink.onWrite = () => {
      appendFileSync(path, `x\n${at(4, 'stdout F four')}`)
      queueMicrotask(() => sink.drain())
    }
    await done
    assert.equal(sink.text, 'one\ntwo\n')
  })

  it('follows until the writer ends, and returns its last lines', async () => {
    const path = logFile(at(1, 'stdout F one'))
    const ended = Promise.withResolvers<void>()
    const sink = new Sink()
    const done = readLogs(path, { stdout: true, stderr: true, follow: true }, sink, { ended: ended.promise })
    await sink.has('one\n')
    appendFileSync(path, at(2, 'stdout F two').slice(0, 20))
    appendFileSync(path, at(2, 'stdout F two').slice(20))
    await sink.has('one\ntwo\n')
    appendFileSync(path, at(3, 'stdout F three'))
    ended.resolve()
    await done
    assert.equal(sink.text, 'one\ntwo\nthree\n')
  })

  it('follows over rotations without losing or repeating a line', async () => {
    const path = logFile('')
    const ended = Promise.withResolvers<void>()
    const sink = new Sink()
    const done = readLogs(path, { stdout: true, stderr: true, follow: true }, sink, { ended: ended.promise })
    let expected = ''
    for (let index = 0; index < 60; index++) {
      expected += `${index}\n`
      if (index % 10 === 9) {
        // The writer still uses the renamed file for a moment.
        rotateLog(path, { maxFiles: 10, reopen() {} })
        appendFileSync(`${path}.1`, at(1, `stdout F ${index}`))
        writeFileSync(`${path}.new`, '')
        renameSync(`${path}.new`, path)
      } else appendFileSync(path, at(1, `stdout F ${index}`))
      // Sometimes the reader is at the end, sometimes some lines behind.
      if (index % 3 !== 0) await sink.has(expected)
    }
    ended.resolve()
    await done
    assert.equal(sink.text, expected)
  })

  for (const kind of ['plain', 'packed'] as const) {
    it(`a slow follower gets every file that was rotated meanwhile, ${kind}`, async () => {
      const { path, finish } = await slowFollower()
      for (let index = 1; index < 5; index++) {
        rotateLog(path, { maxFiles: 10, reopen() {} })
        appendFileSync(`${path}.1`, at(2 * index, `stdout F last of ${index - 1}`))
        writeFileSync(path, at(2 * index + 1, `stdout F ${index}`))
        if (kind === 'packed') await packOldLogs(path, () => false)
      }
      assert.equal(await finish(), '0\nlast of 0\n1\nlast of 1\n2\nlast of 2\n3\nlast of 3\n4\n')
    })
  }

  it('a slow follower continues with the remaining files when its file was removed', async () => {
    const { path, finish } = await slowFollower()
    for (let index = 1; index < 5; index++) {
      rotateLog(path, { maxFiles: 3, reopen: () => writeFileSync(path, at(index, `stdout F ${index}`)) })
    }
    assert.equal(await finish(), '0\n2\n3\n4\n')
  })

  it('stops following when the client leaves or the time span ends', async () => {
    const path = logFile(at(1, 'stdout F one'))
    const sink = new Sink()
    const done = readLogs(path, { stdout: true, stderr: true, follow: true }, sink)
    await sink.has('one\n')
    sink.leave()
    await done
    const abort = new AbortController()
    const other = new Sink()
    const options = { stdout: true, stderr: true, follow: true }
    const aborted = readLogs(path, options, other, { signal: abort.signal })
    await other.has('one\n')
    abort.abort()
    await aborted
    await read(path, { follow: true, untilNs: secondNs(5) })
  })
})
