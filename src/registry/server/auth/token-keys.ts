/** Keys that sign or check tokens, and the ids by which tokens refer to them (`kid`). */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { JWK } from 'jose'
import { BerthError, invalidArgument, messageOf } from '../../../base/index.ts'
import type { ObjectStorage } from '../storage/registry-storage.ts'

/** The storage's key of the registry's own signing key, if the options name no file. */
export const signingKeyKey = 'tokens/signing-key.pem'

/** A key pair that signs tokens. */
export interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly id: string
}

/** Reads the key of a PEM file. Rejects with `invalidArgument`. */
export async function readSigningKey(path: string): Promise<SigningKey> {
  return signingKeyOf(await readPem(path), path)
}

/** Reads the key in the storage, or makes one. If several processes do so at once, one succeeds and all use its key. */
export async function storedSigningKey(objects: ObjectStorage): Promise<SigningKey> {
  const stored = await objects.read(signingKeyKey)
  if (stored !== undefined) return signingKeyOf(stored.toString(), signingKeyKey)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  if (await objects.write(signingKeyKey, Buffer.from(pem), { ifAbsent: true })) return signingKeyOf(pem, signingKeyKey)
  const others = await objects.read(signingKeyKey)
  if (others === undefined) throw new BerthError('unavailable', "the key of the registry's tokens is being changed")
  return signingKeyOf(others.toString(), signingKeyKey)
}

function signingKeyOf(pem: string, place: string): SigningKey {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(pem)
  } catch (cause) {
    throw invalidArgument(`${place}: not a private key in PEM: ${messageOf(cause)}`, { cause })
  }
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw invalidArgument(`${place}: not an EC key on P-256 (openssl ecparam -name prime256v1 -genkey -noout)`)
  }
  const publicKey = createPublicKey(privateKey)
  return { privateKey, publicKey, id: keyId(publicKey) }
}

/** A key that checks tokens. */
export interface TrustedKey {
  readonly publicKey: KeyObject
  /** The ids by which tokens may refer to it. */
  readonly ids: readonly string[]
}

/** The keys and certificates that check a token service's tokens. */
export interface TrustedKeys {
  readonly keys: readonly TrustedKey[]
  /** Roots for certificate chains that tokens carry (`x5c`). */
  readonly roots: readonly X509Certificate[]
}

/** Reads a bundle of certificates (PEM), a JSON Web Key Set, or both. Rejects with `invalidArgument`. */
export async function readTrustedKeys(files: {
  readonly certificatesFile?: string | undefined
  readonly jwksFile?: string | undefined
}): Promise<TrustedKeys> {
  const roots = files.certificatesFile === undefined ? [] : await readCertificates(files.certificatesFile)
  const jwks = files.jwksFile === undefined ? [] : await readJwks(files.jwksFile)
  return { roots, keys: [...roots.map(({ publicKey }) => trustedKey(publicKey)), ...jwks] }
}

async function readCertificates(path: string): Promise<readonly X509Certificate[]> {
  const blocks = (await readPem(path)).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw invalidArgument(`${path}: no certificate in PEM`)
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (cause) {
    throw invalidArgument(`${path}: ${messageOf(cause)}`, { cause })
  }
}

async function readJwks(path: string): Promise<readonly TrustedKey[]> {
  const text = await readPem(path)
  try {
    const { keys } = JSON.parse(text) as { keys: readonly JWK[] }
    return keys.map((jwk) => {
      const key = trustedKey(createPublicKey({ key: jwk, format: 'jwk' }))
      return jwk.kid === undefined ? key : { ...key, ids: [jwk.kid] }
    })
  } catch (cause) {
    throw invalidArgument(`${path}: not a JSON Web Key Set: ${messageOf(cause)}`, { cause })
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw invalidArgument(messageOf(cause), { cause })
  }
}

function trustedKey(publicKey: KeyObject): TrustedKey {
  return { publicKey, ids: [keyId(publicKey)] }
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The id that Docker's registry gives a key, so that the tokens of both registries are interchangeable: the first 240
 *  bits of the SHA-256 of the public key (DER), in base32, in groups of four. */
export function keyId(publicKey: KeyObject): string {
  const hash = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
  const bits = [...hash.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => base32[Number.parseInt(five, 2)]).join('')
  return (letters.match(/.{4}/g) ?? []).join(':')
}
