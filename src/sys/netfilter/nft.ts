/** The `nft` program: whole rule sets as one atomic transaction. Single map elements, as a start needs them,
 *  go by `netlink-nft.ts` without a process. */
import { existsSync } from 'node:fs'
import { BerthError } from '../../base/index.ts'
import { runCommand } from '../processes/run-command.ts'
import { rememberOwnNftAddress } from './nft-identity.ts'

const places = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft', '/usr/local/sbin/nft'] as const

/** Applies a script; the kernel takes all of it or nothing. Throws `unavailable` when nft is not installed
 *  and `internal` with nft's own words when it refuses. */
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
