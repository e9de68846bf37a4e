import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { loadTls } from './endpoint.ts'
import { listen } from './http-server.ts'

/** A CA, and certificates that it signed for `localhost` and for a client. */
function makeCertificates(directory: string): void {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test-ca', '-days', '2')
  for (const name of ['localhost', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`)
  }
}

test('listen() with TLS requires a client certificate and carries half-closed raw streams', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bt-'))
  try {
    makeCertificates(directory)
    const at = (name: string) => join(directory, name)
    const tls = await loadTls({ ca: at('ca.pem'), cert: at('localhost.pem'), key: at('localhost.key'), verify: true })
    const listener = await listen(
      { kind: 'tcp', host: '127.0.0.1', port: 0, tls },
      {
        takesConnection: () => true,
        handle: async (exchange) => {
          const connection = await exchange.connection.hijack('text/plain')
          for await (const chunk of connection.input as AsyncIterable<Buffer>) connection.output.write(chunk)
          connection.output.write(Buffer.from('end'))
          connection.finish()
        },
      },
    )
    try {
      const port = listener.endpoint.kind === 'tcp' ? listener.endpoint.port : 0
      const [ca, cert, key] = await Promise.all(
        ['ca.pem', 'client.pem', 'client.key'].map((name) => readFile(at(name))),
      )
      const base = { host: '127.0.0.1', port, servername: 'localhost', ...(ca === undefined ? {} : { ca }) }
      const stranger = connect(base)
      stranger.resume()
      const [error] = (await once(stranger, 'error')) as [NodeJS.ErrnoException]
      assert.match(String(error.code), /CERTIFICATE_REQUIRED|ECONNRESET|HANDSHAKE/)

      const options = { ...base, cert, key, allowHalfOpen: true } as Parameters<typeof connect>[0] & object
      const client = connect(options)
      let received = ''
      client.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1')
      })
      client.end('POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw')
      await once(client, 'end')
      assert.match(received, /^HTTP\/1\.1 101 UPGRADED/)
      assert.ok(received.endsWith('\r\n\r\nrawend'), received)
    } finally {
      await listener.close()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
