/** Private keys in files, for `--ssh default=FILE`: OpenSSH's own format and PEM; ed25519, RSA and ECDSA.
 *  https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { packNumber, packString, WireReader } from './ssh-wire.ts'

/** A key that an agent can use. */
export interface SshKey {
  /** The public key in SSH's encoding. */
  readonly blob: Buffer
  /** Signs `data`; the signature is in SSH's encoding. `flags` come from the request. */
  sign(data: Buffer, flags: number): Buffer
}

/** Says why a file has no usable key. */
export class SshKeyError extends Error {}

const openSshForm = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/

/** Parses a key. Throws `SshKeyError` for anything else, for another kind of key, and for one with a passphrase. */
export function parseSshKey(text: string): SshKey {
  return toSshKey(privateKeyOf(text))
}

function privateKeyOf(text: string): KeyObject {
  const own = openSshForm.exec(text)?.[1]
  try {
    return own === undefined ? createPrivateKey(text) : parseOpenSsh(Buffer.from(own, 'base64'))
  } catch (error) {
    if (error instanceof SshKeyError) throw error
    const isEncrypted =
      /ENCRYPTED/.test(text) || (error as { readonly code?: unknown }).code === 'ERR_MISSING_PASSPHRASE'
    throw isEncrypted ? passphraseNeeded() : new SshKeyError('it is not a private key', { cause: error })
  }
}

function passphraseNeeded(): SshKeyError {
  return new SshKeyError('this private key is passphrase protected; add it to an agent (ssh-add) and use the agent')
}

const magic = 'openssh-key-v1\0'

function parseOpenSsh(bytes: Buffer): KeyObject {
  if (bytes.toString('latin1', 0, magic.length) !== magic) throw new SshKeyError('it is not a private key')
  const reader = new WireReader(bytes.subarray(magic.length))
  const cipher = reader.text()
  reader.string()
  reader.string()
  if (cipher !== 'none') throw passphraseNeeded()
  if (reader.number32() !== 1) throw new SshKeyError('it holds several keys')
  reader.string()
  const inner = new WireReader(reader.string())
  const check = inner.number32()
  if (inner.number32() !== check) throw new SshKeyError('it is damaged')
  return createPrivateKey({ key: jwkOf(inner), format: 'jwk' })
}

/** Reads the fields of a key in OpenSSH's order. */
function jwkOf(reader: WireReader): Readonly<Record<string, string>> {
  const kind = reader.text()
  if (kind === 'ssh-ed25519') {
    const x = reader.string()
    return { kty: 'OKP', crv: 'Ed25519', x: base64(x), d: base64(reader.string().subarray(0, 32)) }
  }
  if (kind === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => bare(reader.string()))
    if (n === undefined || e === undefined || d === undefined || qi === undefined || p === undefined || q === undefined)
      throw new SshKeyError('it is damaged')
    const remainder = (prime: Buffer) => fromBigInt(toBigInt(d) % (toBigInt(prime) - 1n))
    const numbers = { n, e, d, p, q, dp: remainder(p), dq: remainder(q), qi }
    return { kty: 'RSA', ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, base64(value)])) }
  }
  const curve = curves.find((one) => kind === `ecdsa-sha2-${one.name}`)
  if (curve === undefined) throw new SshKeyError(`keys of type ${kind} are not supported`)
  reader.string()
  const point = reader.string()
  const d = padded(bare(reader.string()), curve.bytes)
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)]
  return { kty: 'EC', crv: curve.jwk, x: base64(x), y: base64(y), d: base64(d) }
}

const curves = [
  { name: 'nistp256', jwk: 'P-256', bytes: 32, hash: 'sha256' },
  { name: 'nistp384', jwk: 'P-384', bytes: 48, hash: 'sha384' },
  { name: 'nistp521', jwk: 'P-521', bytes: 66, hash: 'sha512' },
] as const

/** https://www.rfc-editor.org/rfc/rfc8332 */
const rsaFlags = { sha256: 2, sha512: 4 } as const

function toSshKey(key: KeyObject): SshKey {
  const jwk = key.export({ format: 'jwk' })
  const part = (name: 'n' | 'e' | 'x' | 'y') => Buffer.from(jwk[name] ?? '', 'base64url')
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    const name = packString('ssh-ed25519')
    return {
      blob: Buffer.concat([name, packString(part('x'))]),
      sign: (data) => Buffer.concat([name, packString(sign(null, data, key))]),
    }
  }
  if (jwk.kty === 'RSA') {
    return {
      blob: Buffer.concat([packString('ssh-rsa'), packNumber(part('e')), packNumber(part('n'))]),
      sign: (data, flags) => {
        const hash = (flags & rsaFlags.sha512) !== 0 ? 'sha512' : (flags & rsaFlags.sha256) !== 0 ? 'sha256' : 'sha1'
        const name = { sha512: 'rsa-sha2-512', sha256: 'rsa-sha2-256', sha1: 'ssh-rsa' }[hash]
        return Buffer.concat([packString(name), packString(sign(hash, data, key))])
      },
    }
  }
  const curve = curves.find((one) => jwk.kty === 'EC' && jwk.crv === one.jwk)
  if (curve === undefined) throw new SshKeyError('keys of this type are not supported')
  const name = packString(`ecdsa-sha2-${curve.name}`)
  const point = Buffer.concat([Buffer.from([4]), part('x'), part('y')])
  return {
    blob: Buffer.concat([name, packString(curve.name), packString(point)]),
    sign: (data) => {
      const both = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' })
      const [r, s] = [both.subarray(0, curve.bytes), both.subarray(curve.bytes)]
      return Buffer.concat([name, packString(Buffer.concat([packNumber(r), packNumber(s)]))])
    },
  }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64url')
}

/** Removes the leading zero that marks a number as not negative. */
function bare(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes
}

function padded(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, length - bytes.length)), bytes])
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function fromBigInt(value: bigint): Buffer {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}
