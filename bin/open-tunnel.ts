/** Starts a program (ssh) that carries a connection to a daemon. The command line itself starts no programs. */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

interface Tunnel {
  readonly socket: Socket
  readonly ended: Promise<{ readonly outcome: string; readonly stderr: string }>
}

/** How much of the program's errors is kept. */
const maxErrorBytes = 64 * 1024

/** Starts the program, with one socket as its standard input and output. The program ends when the socket is closed,
 *  and with this process; Ctrl-C on the terminal does not reach it. */
export function openTunnel(program: string, args: readonly string[]): Tunnel {
  const child = spawn('sh', ['-c', 'exec "$@" <&3 >&3 3>&-', 'sh', program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const socket = child.stdio[3] as Socket
  // The daemon may still answer after the client has sent everything.
  socket.allowHalfOpen = true
  socket.on('error', () => undefined)
  const chunks: Buffer[] = []
  let received = 0
  child.stderr?.on('data', (chunk: Buffer) => {
    if (received < maxErrorBytes) chunks.push(chunk)
    received += chunk.length
  })
  const end = () => void child.kill()
  process.once('exit', end)
  socket.once('close', end)
  const { promise: ended, resolve } = Promise.withResolvers<{ outcome: string; stderr: string }>()
  const finish = (outcome: string, stderr = Buffer.concat(chunks).toString('utf8').trimEnd()) => {
    process.off('exit', end)
    resolve({ outcome, stderr })
  }
  child.once('error', (error) => finish('no program', error.message))
  child.once('close', (code, signal) => finish(code === null ? `signal ${signal}` : `exit status ${code}`))
  return { socket, ended }
}
