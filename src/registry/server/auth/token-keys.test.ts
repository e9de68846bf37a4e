import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exportJWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { type IssuedCertificate, TestAuthority } from '../../../../test/helpers/certificates.ts'
import { isKind } from '../../../base/index.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'
import { readSigningKey, readTrustedKeys, signingKeyKey, storedSigningKey } from './token-keys.ts'
import { TokenVerifier } from './token-verifier.ts'

const directory = mkdtempSync('/tmp/b-tk-')
after(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

function sign(key: ReturnType<typeof createPrivateKey>, header: Partial<JWTHeaderParameters>): Promise<string> {
  return new SignJWT({ access: [] })
    .setProtectedHeader({ alg: 'ES256', ...header })
    .setIssuer('iss')
    .setAudience('reg')
    .setSubject('alice')
    .setExpirationTime('1m')
    .sign(key)
}

async function verifierOf(files: Parameters<typeof readTrustedKeys>[0]): Promise<TokenVerifier> {
  return new TokenVerifier({ issuer: 'iss', service: 'reg', ...(await readTrustedKeys(files)) })
}

const chainOf = (...certificates: readonly string[]): string[] =>
  certificates.map((pem) => pem.replace(/-----[A-Z ]+-----|\s/g, ''))

test('readTrustedKeys() accepts certificates of keys, and roots for certificate chains in tokens', async () => {
  const [authority, stranger] = await Promise.all([TestAuthority.create(), TestAuthority.create('Stranger')])
  const issued = await authority.issue('tokens')
  const foreign = await stranger.issue('tokens')
  const keyOf = ({ key }: IssuedCertificate) => createPrivateKey(key)
  const direct = await verifierOf({
    certificatesFile: file('two.crt', `${stranger.certificate}\n${issued.certificate}`),
  })
  assert.equal((await direct.findAccess(await sign(keyOf(issued), {})))?.user, 'alice')
  assert.equal((await direct.findAccess(await sign(keyOf(issued), { kid: 'of another program' })))?.user, 'alice')
  assert.equal(await direct.findAccess(await sign(keyOf(foreign), {})), undefined)
  const byChain = await verifierOf({ certificatesFile: file('ca.crt', authority.certificate) })
  const chained = (key: IssuedCertificate, ...chain: readonly string[]) => sign(keyOf(key), { x5c: chainOf(...chain) })
  assert.equal((await byChain.findAccess(await chained(issued, issued.certificate)))?.user, 'alice')
  assert.equal(
    (await byChain.findAccess(await chained(issued, issued.certificate, authority.certificate)))?.user,
    'alice',
  )
  assert.equal(await byChain.findAccess(await sign(keyOf(issued), {})), undefined)
  assert.equal(await byChain.findAccess(await chained(foreign, foreign.certificate)), undefined)
  assert.equal(await byChain.findAccess(await chained(foreign, foreign.certificate, stranger.certificate)), undefined)
  assert.equal(await byChain.findAccess(await chained(foreign, issued.certificate)), undefined, 'not its key')
  assert.equal(await byChain.findAccess(await sign(keyOf(foreign), { x5c: ['rubbish'] })), undefined)
})

test('readTrustedKeys() accepts a JSON Web Key Set', async () => {
  const pairs = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-256' })]
  const keys = await Promise.all(
    pairs.map(async ({ publicKey }, index) => ({ ...(await exportJWK(publicKey)), kid: `k${index}` })),
  )
  const verifier = await verifierOf({ jwksFile: file('keys.json', JSON.stringify({ keys })) })
  for (const [index, { privateKey }] of pairs.entries()) {
    assert.equal((await verifier.findAccess(await sign(privateKey, { kid: `k${index}` })))?.user, 'alice')
    assert.equal((await verifier.findAccess(await sign(privateKey, {})))?.user, 'alice')
    assert.equal(await verifier.findAccess(await sign(privateKey, { kid: `k${1 - index}` })), undefined)
  }
})

test('readTrustedKeys() and readSigningKey() refuse files without a key', async () => {
  const rubbish = file('rubbish', 'x')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const rsaFile = file('rsa', rsa.toString())
  for (const read of [
    () => readTrustedKeys({ certificatesFile: rubbish }),
    () => readTrustedKeys({ certificatesFile: join(directory, 'none') }),
    () => readTrustedKeys({ jwksFile: rubbish }),
    () => readSigningKey(rubbish),
    () => readSigningKey(rsaFile),
  ]) {
    await assert.rejects(read, (error) => isKind(error, 'invalidArgument'))
  }
})

test('readSigningKey() accepts both PEM forms that openssl writes', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  for (const type of ['pkcs8', 'sec1'] as const) {
    const { id } = await readSigningKey(file(type, privateKey.export({ type, format: 'pem' }).toString()))
    assert.match(id, /^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$/)
  }
})

test('storedSigningKey() makes one key for all concurrent callers', async () => {
  const stored = new Map<string, Buffer>()
  const objects = {
    read: async (key: string) => stored.get(key),
    write: async (key: string, bytes: Uint8Array) => {
      if (stored.has(key)) return false
      stored.set(key, Buffer.from(bytes))
      return true
    },
  } as Pick<ObjectStorage, 'read' | 'write'> as ObjectStorage
  const ids = await Promise.all([1, 2, 3].map(async () => (await storedSigningKey(objects)).id))
  assert.equal(new Set(ids).size, 1)
  assert.deepEqual([...stored.keys()], [signingKeyKey])
})
