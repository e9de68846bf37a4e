import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hashSync } from 'bcryptjs'
import { isKind, type Logger, nullLogger } from '../../../base/index.ts'
import { HtpasswdUsers } from './htpasswd-users.ts'
import { parseBasic } from './user-directory.ts'

const directory = mkdtempSync('/tmp/b-hu-')
after(() => rmSync(directory, { recursive: true }))
const path = join(directory, 'htpasswd')
const hash = (password: string): string => hashSync(password, 4)

test('HtpasswdUsers accepts the right password only', async () => {
  writeFileSync(path, `# users\n\nalice:${hash('a:b c')}\r\nbob:${hash('ü').replace('$2b$', '$2y$')}\n`)
  await using users = await HtpasswdUsers.open(path)
  assert.equal(await users.verify('alice', 'a:b c'), true)
  assert.equal(await users.verify('alice', 'wrong'), false)
  assert.equal(await users.verify('alice', ''), false)
  assert.equal(await users.verify('bob', 'ü'), true)
  assert.equal(await users.verify('nobody', 'a:b c'), false)
  assert.equal(await users.verify('constructor', 'x'), false)
})

test('HtpasswdUsers reads a changed file again, and keeps its users if that fails', async () => {
  const lines: string[] = []
  const logger: Logger = { ...nullLogger, error: (message) => lines.push(message) }
  writeFileSync(path, `alice:${hash('one')}\n`)
  await using users = await HtpasswdUsers.open(path, { logger })
  const before = await users.fingerprint('alice')
  assert.equal(await users.verify('alice', 'one'), true)
  writeFileSync(path, `alice:${hash('other')}\nbob:${hash('x')}\n`)
  assert.equal(await users.verify('alice', 'one'), false)
  assert.equal(await users.verify('alice', 'other'), true)
  assert.equal(await users.verify('bob', 'x'), true)
  assert.notEqual(await users.fingerprint('alice'), before)
  writeFileSync(path, 'rubbish')
  assert.equal(await users.verify('bob', 'x'), true)
  assert.equal(await users.verify('bob', 'y'), false)
  assert.deepEqual(lines, ['users not read again'])
  rmSync(path)
  assert.equal(await users.verify('bob', 'x'), true)
})

test('HtpasswdUsers accepts only bcrypt hashes', async () => {
  const refused: unknown[] = []
  const logger: Logger = { ...nullLogger, warn: (_, fields) => refused.push(fields?.user) }
  writeFileSync(path, `md5:$apr1$abc$def\nsha:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nplain:plain\nok:${hash('x')}\n`)
  await using users = await HtpasswdUsers.open(path, { logger })
  assert.deepEqual(refused, ['md5', 'sha', 'plain'])
  assert.equal(await users.verify('plain', 'plain'), false)
  assert.equal(await users.verify('sha', 'password'), false)
  assert.equal(await users.fingerprint('plain'), undefined)
  assert.equal(await users.verify('ok', 'x'), true)
})

test('HtpasswdUsers.open() refuses a missing or malformed file', async () => {
  writeFileSync(path, 'a line\n')
  await assert.rejects(HtpasswdUsers.open(path), /htpasswd:1: not a line NAME:HASH/)
  await assert.rejects(HtpasswdUsers.open(join(directory, 'none')), (error) => isKind(error, 'invalidArgument'))
})

test('HtpasswdUsers checks a password once for concurrent requests', async () => {
  // Each check takes a tenth of a second, so 64 separate checks would exceed the limit below.
  writeFileSync(path, `alice:${hashSync('one', 10)}\n`)
  await using users = await HtpasswdUsers.open(path)
  const start = process.cpuUsage()
  const results = await Promise.all(Array.from({ length: 64 }, () => users.verify('alice', 'one')))
  assert.ok(results.every(Boolean))
  assert.ok(process.cpuUsage(start).user < 2_000_000)
})

for (const [header, name, password] of [
  ['Basic YWxpY2U6b25l', 'alice', 'one'],
  ['basic  YWxpY2U6YTpi ', 'alice', 'a:b'],
  ['Basic YWxpY2U6', 'alice', ''],
  ['Basic OnB3', '', 'pw'],
  ['Basic Og==', '', ''],
  ['Basic', undefined, undefined],
  ['Basic YWxpY2U=', undefined, undefined],
  ['Bearer abc', undefined, undefined],
] as const) {
  test(`parseBasic() of ${header}`, () => {
    assert.deepEqual(parseBasic(header), name === undefined ? undefined : { name, password })
  })
}

test('HtpasswdUsers finishes open checks before it ends', async () => {
  writeFileSync(path, `alice:${hash('one')}\n`)
  const users = await HtpasswdUsers.open(path)
  const answers = [users.verify('alice', 'one'), users.verify('alice', 'two')]
  await users[Symbol.asyncDispose]()
  assert.deepEqual(await Promise.all(answers), [true, false])
})
