/** Chain ids: the identity of a stack of layers, and the name of its committed snapshot.
 *  https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid */
import { type Digest, digestOf } from './digest.ts'

/** The chain id of `parent` with one more layer on top. The lowest layer has no parent. */
export function nextChainId(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)
}

/** The chain ids of all stacks, the lowest first: element N covers layers 0 to N. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) chain.push(nextChainId(chain.at(-1), diffId))
  return chain
}

/** The chain id of the whole stack; undefined when there are no layers. */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  return chainIds(diffIds).at(-1)
}
