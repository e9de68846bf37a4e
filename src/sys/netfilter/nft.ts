/** The program nft(8), for whole rule sets in one transaction. Single map elements, which each start of a container
 *  changes, go through `netlink-nft.ts` without a process. */
import { existsSync } from 'node:fs'
import { BerthError } from '../../base/index.ts'
import { runCommand } from '../processes/run-command.ts'
import { rememberOwnNftAddress } from './nft-identity.ts'

const places = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft', '/usr/local/sbin/nft'] as const

/** Applies a script in one transaction. Rejects with `unavailable` when nft is not installed, and with `internal` and
 *  nft's message when it refuses. */
export async function runNft(script: string): Promise<void> {
  const path = places.find((place) => existsSync(place))
  if (path === undefined) throw new BerthError('unavailable', 'nft is not installed (package nftables)')
  const { code, stderr } = await runCommand(path, ['-f', '-'], {
    input: script,
    timeoutMs: 30_000,
    onStart: rememberOwnNftAddress,
  })
  if (code !== 0) throw new BerthError('internal', `nft: ${stderr.trim()}`, { details: { code, script } })
}
