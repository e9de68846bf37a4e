/** A connection to a daemon on another machine. ssh starts a command line there, which connects its standard streams to
 *  the daemon's socket (`system dial-stdio`). Berth's command line is tried first, then Docker's.
 *  https://docs.docker.com/engine/security/protect-access/#use-ssh-to-protect-the-docker-daemon-socket */
import type { Socket } from 'node:net'
import { BerthError } from '../../base/index.ts'
import type { SshEndpoint } from './endpoint.ts'

/** A running program whose standard input and output are one socket. */
export interface Tunnel {
  readonly socket: Socket
  /** Resolves when the program has ended: with how it ended, and what it wrote to stderr. */
  readonly ended: Promise<{ readonly outcome: string; readonly stderr: string }>
}

/** Starts a program for a tunnel. */
export type OpenTunnel = (program: string, args: readonly string[]) => Promise<Tunnel>

/** The arguments of ssh. The user's ~/.ssh/config applies: keys, jump hosts, shared connections. */
export function sshArguments({ user, host, port, socketPath }: SshEndpoint): readonly string[] {
  return [
    ...['-o', 'ConnectTimeout=30', '-T'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', port]),
    ...['--', host, remoteCommand(socketPath)],
  ]
}

/** The remote command as one word, for any shell that the user has there. */
function remoteCommand(socketPath: string | undefined): string {
  const host = socketPath === undefined ? '' : `--host ${quote(`unix://${socketPath}`)} `
  const dial = (program: string) => `exec ${program} ${host}system dial-stdio`
  return `sh -c ${quote(`command -v berth >/dev/null 2>&1 && ${dial('berth')}; ${dial('docker')}`)}`
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** The error for a tunnel that failed: what ssh, or the command line on the other machine, wrote. */
export async function tunnelError(endpoint: SshEndpoint, tunnel: Tunnel, cause: unknown): Promise<BerthError> {
  const { outcome, stderr } = await tunnel.ended
  const message = `error during connect: command [ssh ${sshArguments(endpoint).join(' ')}] has exited with ${outcome}, make sure the URL is valid, and Berth, or Docker 18.09 or later, is installed on the remote host: stderr=${stderr}`
  return new BerthError('unavailable', message, { cause })
}
