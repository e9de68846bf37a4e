/** OpenSSH's own programs are the agent's clients. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findProgram, runCommand, runOrThrow } from '../../../../test/helpers/command.ts'
import { parseSshKey } from './ssh-key.ts'
import { openKeyAgent } from './ssh-key-agent.ts'
import { connectAgent, parseSshAgents } from './ssh-options.ts'

let directory = ''
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'b-keys-'))
})
after(() => rmSync(directory, { recursive: true, force: true }))

const skip = findProgram('ssh-keygen') === undefined && 'there is no OpenSSH client (Debian: openssh-client)'

async function makeKey(name: string, ...args: readonly string[]): Promise<string> {
  const path = join(directory, name)
  await runOrThrow('ssh-keygen', ['-q', '-N', '', '-C', '', '-f', path, ...args])
  return path
}

/** Runs `work` with the socket of an agent that has these keys. */
async function withAgent(paths: readonly string[], work: (socket: string) => Promise<void>): Promise<void> {
  const [agent] = parseSshAgents([`default=${paths.join(',')}`], {})
  assert.ok(agent !== undefined)
  const path = join(directory, 'agent')
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    const connection = await connectAgent(agent)
    socket.pipe(connection).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    await work(path)
  } finally {
    server.close()
  }
}

test('ssh-keygen signs by the agent with keys of every type, and verifies the signatures', { skip }, async () => {
  const kinds = ['ed25519', 'rsa', 'ecdsa-256', 'ecdsa-384', 'ecdsa-521']
  const paths: string[] = []
  for (const kind of kinds) {
    const [type = '', bits = '2048'] = kind.split('-')
    paths.push(await makeKey(kind, '-t', type, ...(type === 'ed25519' ? [] : ['-b', bits])))
  }
  paths.push(await makeKey('pem', '-t', 'rsa', '-b', '2048', '-m', 'PEM'))
  const data = join(directory, 'data')
  writeFileSync(data, 'what is signed')
  await withAgent(paths, async (socket) => {
    const environment = { SSH_AUTH_SOCK: socket }
    const listed = await runOrThrow('ssh-add', ['-L'], { env: environment })
    for (const path of paths) {
      const [kind = '', blob = ''] = readFileSync(`${path}.pub`, 'utf8').split(' ')
      assert.ok(listed.includes(`${kind} ${blob.trim()}`), path)
      rmSync(path)
      await runOrThrow('ssh-keygen', ['-Y', 'sign', '-n', 'test', '-f', `${path}.pub`, data], { env: environment })
      const allowed = join(directory, 'allowed')
      writeFileSync(allowed, `me ${kind} ${blob.trim()}\n`)
      const verify = ['-Y', 'verify', '-n', 'test', '-I', 'me', '-f', allowed, '-s', `${data}.sig`]
      assert.match(await runOrThrow('ssh-keygen', verify, { input: readFileSync(data) }), /^Good "test" signature/)
      rmSync(`${data}.sig`)
    }
    const { code } = await runCommand('ssh-add', ['-D'], { env: environment })
    assert.notEqual(code, 0, 'keys of the build stay')
  })
})

test('keys with a passphrase, and files that are not keys, are refused by name', { skip }, async () => {
  const locked = join(directory, 'locked')
  await runOrThrow('ssh-keygen', ['-q', '-N', 'secret', '-t', 'ed25519', '-f', locked])
  assert.throws(() => parseSshAgents([`k=${locked}`], {}), /failed to parse .*\/locked: .* passphrase protected/)
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  })
  assert.throws(() => parseSshKey(pem.toString()), /passphrase protected/)
  assert.throws(() => parseSshAgents([`k=${import.meta.filename}`], {}), /failed to parse .*: it is not a private key/)
})

test('the agent refuses unknown and malformed requests', async () => {
  const agent = openKeyAgent([])
  const answers: Buffer[] = []
  agent.on('data', (chunk: Buffer) => answers.push(chunk))
  // Half of a message and its rest, an empty message, a truncated request to sign.
  for (const bytes of ['0000', '00010b', '00000000', '000000020d00']) agent.write(Buffer.from(bytes, 'hex'))
  agent.end()
  await new Promise((resolve) => agent.once('end', resolve))
  assert.equal(Buffer.concat(answers).toString('hex'), `${'000000050c00000000'}${'0000000105'}${'0000000105'}`)
})
