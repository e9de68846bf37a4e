/** A connection to a daemon on another machine: ssh starts a command line over there, which connects its standard streams
 *  with the daemon's socket (`system dial-stdio`). Berth's command line is asked for first, then Docker's.
 *  https://docs.docker.com/engine/security/protect-access/#use-ssh-to-protect-the-docker-daemon-socket */
import type { Socket } from 'node:net'
import { BerthError } from '../../base/index.ts'
import type { SshEndpoint } from './endpoint.ts'

/** A program whose standard input and output are one socket. */
export interface Tunnel {
  readonly socket: Socket
  /** When the program has ended: how, and what it complained about. */
  readonly ended: Promise<{ readonly outcome: string; readonly stderr: string }>
}

/** Starts a program for a tunnel. */
export type OpenTunnel = (program: string, args: readonly string[]) => Promise<Tunnel>

/** The arguments of ssh. What the user has in ~/.ssh/config counts: keys, jump hosts, connections that are shared. */
export function sshArguments({ user, host, port, socketPath }: SshEndpoint): readonly string[] {
  return [
    ...['-o', 'ConnectTimeout=30', '-T'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', port]),
    ...['--', host, remoteCommand(socketPath)],
  ]
}

/** One word for whichever shell the user has over there. */
function remoteCommand(socketPath: string | undefined): string {
  const host = socketPath === undefined ? '' : `--host ${quote(`unix://${socketPath}`)} `
  const dial = (program: string) => `exec ${program} ${host}system dial-stdio`
  return `sh -c ${quote(`command -v berth >/dev/null 2>&1 && ${dial('berth')}; ${dial('docker')}`)}`
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** Why a tunnel was no connection: what ssh, or the command line over there, said. */
export async function tunnelError(endpoint: SshEndpoint, tunnel: Tunnel, cause: unknown): Promise<BerthError> {
  const { outcome, stderr } = await tunnel.ended
  const message = `error during connect: command [ssh ${sshArguments(endpoint).join(' ')}] has exited with ${outcome}, make sure the URL is valid, and Berth, or Docker 18.09 or later, is installed on the remote host: stderr=${stderr}`
  return new BerthError('unavailable', message, { cause })
}
