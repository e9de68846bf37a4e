import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Credentials, hostOfServer, hubServer, loadClientSettings, type RunProgram } from './index.ts'

let root: string
before(() => {
  root = mkdtempSync(join(tmpdir(), 'bc-'))
})
after(() => rmSync(root, { recursive: true, force: true }))

const noProgram: RunProgram = async (program) => {
  throw Object.assign(new Error(`spawn ${program} ENOENT`), { code: 'ENOENT' })
}

/** Credentials in a new directory, whose configuration file has this content. */
function open(file?: object | string, runProgram = noProgram): { credentials: Credentials; path: string } {
  const configDir = mkdtempSync(join(root, 'c-'))
  const path = join(configDir, 'config.json')
  if (file !== undefined) writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file))
  return { credentials: new Credentials(loadClientSettings({ configDir }, {}), runProgram), path }
}

const encode = (text: string): string => Buffer.from(text).toString('base64')
const joe = { username: 'joe', password: 'a:b', identityToken: '' }

test('Credentials.get() reads every form that clients write', async () => {
  const { credentials } = open({
    auths: {
      'reg:5000': { auth: encode('joe:a:b') },
      'https://old.test/v1/': { auth: encode('old:x') },
      'token.test': { auth: encode('<token>:'), identitytoken: 'T' },
      'plain.test': { username: 'u', password: 'p' },
      'zero.test': { auth: encode('u:p\0') },
      'odd.test': { auth: 7 },
      [hubServer]: { auth: encode('hub:y') },
    },
  })
  assert.deepEqual(await credentials.get('reg:5000'), joe)
  assert.deepEqual(await credentials.get('old.test'), { username: 'old', password: 'x', identityToken: '' })
  assert.equal((await credentials.get('token.test')).identityToken, 'T')
  assert.equal((await credentials.get('plain.test')).password, 'p')
  assert.equal((await credentials.get('zero.test')).password, 'p')
  for (const server of ['odd.test', 'none.test', '__proto__']) {
    assert.deepEqual(await credentials.get(server), { username: '', password: '', identityToken: '' })
  }
  assert.equal((await credentials.get(hubServer)).username, 'hub')
  assert.equal(hostOfServer('https://reg:5000/v2/'), 'reg:5000')
})

test('Credentials.store() and erase() change their own entry only', async () => {
  const { credentials, path } = open({ a: [1], auths: { other: { auth: 'x', email: 'e' } }, z: null })
  await credentials.store('reg', joe)
  assert.equal(
    readFileSync(path, 'utf8'),
    JSON.stringify(
      { a: [1], auths: { other: { auth: 'x', email: 'e' }, reg: { auth: encode('joe:a:b') } }, z: null },
      undefined,
      '\t',
    ),
  )
  await credentials.store('https://reg/v1/', joe)
  await new Credentials(loadClientSettings({ configDir: join(path, '..') }, {}), noProgram).erase('reg')
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(path, 'utf8')).auths), ['other'])
  assert.deepEqual(readdirSync(join(path, '..')), ['config.json'])
})

test('Credentials.store() makes a private file, keeps the mode of an existing one, and follows a link', async () => {
  const fresh = open()
  await fresh.credentials.store('reg', joe)
  assert.equal(statSync(fresh.path).mode & 0o777, 0o600)
  const old = open({})
  chmodSync(old.path, 0o640)
  await old.credentials.store('reg', joe)
  assert.equal(statSync(old.path).mode & 0o777, 0o640)
  const linked = open()
  symlinkSync(old.path, linked.path)
  await linked.credentials.store('linked', joe)
  assert.ok('linked' in JSON.parse(readFileSync(old.path, 'utf8')).auths)
  const broken = open('{ no')
  await assert.rejects(broken.credentials.store('reg', joe), { kind: 'invalidArgument' })
  assert.equal(readFileSync(broken.path, 'utf8'), '{ no')
})

test('Credentials calls helper programs as Docker does', async () => {
  const calls: unknown[] = []
  let answer = { code: 0, stdout: '' }
  const runProgram: RunProgram = async (...call) => {
    calls.push(call)
    return answer
  }
  const { credentials, path } = open({ credsStore: 'all', credHelpers: { one: 'own' } }, runProgram)
  assert.equal(credentials.isPlain('x'), false)
  await credentials.store('x', joe)
  await credentials.store('one', { ...joe, password: '', identityToken: 'T' })
  await credentials.erase('x')
  answer = { code: 0, stdout: '{"ServerURL":"x","Username":"joe","Secret":"s"}\n' }
  assert.deepEqual(await credentials.get('x'), { username: 'joe', password: 's', identityToken: '' })
  answer = { code: 0, stdout: '{"Username":"<token>","Secret":"T"}' }
  assert.deepEqual(await credentials.get('one'), { username: '', password: '', identityToken: 'T' })
  assert.deepEqual(calls, [
    ['docker-credential-all', ['store'], '{"ServerURL":"x","Username":"joe","Secret":"a:b"}'],
    ['docker-credential-own', ['store'], '{"ServerURL":"one","Username":"<token>","Secret":"T"}'],
    ['docker-credential-all', ['erase'], 'x'],
    ['docker-credential-all', ['get'], 'x'],
    ['docker-credential-own', ['get'], 'one'],
  ])
  assert.ok(!readFileSync(path, 'utf8').includes(encode('joe:a:b')))
  answer = { code: 1, stdout: 'credentials not found in native keychain\n' }
  assert.equal((await credentials.get('x')).username, '')
  answer = { code: 2, stdout: 'locked' }
  await assert.rejects(credentials.get('x'), {
    kind: 'internal',
    message: 'error getting credentials - err: exit status 2, out: `locked`',
  })
  answer = { code: 0, stdout: 'no JSON' }
  await assert.rejects(credentials.get('x'), { kind: 'internal' })
})
