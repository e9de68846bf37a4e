/** An SSH agent inside this process, with a few keys. It lists them and signs with them; it refuses every change.
 *  https://datatracker.ietf.org/doc/html/draft-ietf-sshm-ssh-agent */
import { Duplex } from 'node:stream'
import type { SshKey } from './ssh-key.ts'
import { packString, WireReader } from './ssh-wire.ts'

const messages = { failure: 5, listKeys: 11, keys: 12, signRequest: 13, signature: 14 } as const

/** The limit of OpenSSH's agent. */
const maxMessageBytes = 256 * 1024

/** Opens a connection to a new agent with these keys. */
export function openKeyAgent(keys: readonly SshKey[]): Duplex {
  let rest = Buffer.alloc(0)
  return new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4) {
        const length = rest.readUInt32BE(0)
        if (length > maxMessageBytes) {
          done(new Error('a message to the ssh agent is too long'))
          return
        }
        if (rest.length < 4 + length) break
        this.push(packString(answer(keys, rest.subarray(4, 4 + length))))
        rest = Buffer.from(rest.subarray(4 + length))
      }
      done()
    },
    final(done) {
      this.push(null)
      done()
    },
  })
}

function answer(keys: readonly SshKey[], message: Buffer): Buffer {
  try {
    return (
      (message[0] === messages.listKeys && list(keys)) ||
      (message[0] === messages.signRequest && sign(keys, message)) ||
      refusal
    )
  } catch {
    // A malformed request gets the same answer as an unknown one.
    return refusal
  }
}

const refusal = Buffer.from([messages.failure])

function list(keys: readonly SshKey[]): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(keys.length)
  const entries = keys.map(({ blob }) => Buffer.concat([packString(blob), packString('')]))
  return Buffer.concat([Buffer.from([messages.keys]), count, ...entries])
}

function sign(keys: readonly SshKey[], message: Buffer): Buffer | undefined {
  const reader = new WireReader(message.subarray(1))
  const blob = reader.string()
  const data = reader.string()
  const signature = keys.find((key) => key.blob.equals(blob))?.sign(data, reader.number32())
  return signature === undefined ? undefined : Buffer.concat([Buffer.from([messages.signature]), packString(signature)])
}
