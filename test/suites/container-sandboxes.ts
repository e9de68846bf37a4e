/** The contract of every container network, as far as operations on containers rely on it
 *  (`src/containers/ports/networks.ts`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorKind, isKind } from '../../src/base/index.ts'
import type { ContainerNetworks } from '../../src/containers/ports/networks.ts'
import type { SandboxRequest } from '../../src/network/index.ts'

/** Networks under test. */
export interface SandboxesSetup {
  readonly networks: ContainerNetworks
  /** Two bridge networks. */
  readonly names: readonly [string, string]
  newId(): Promise<string>
  teardown(): Promise<void>
}

/** Declares the suite's tests for the networks that `setup` makes. */
export function containerSandboxesSuite(
  name: string,
  setup: () => Promise<SandboxesSetup>,
  options: { readonly skip?: string | false } = {},
): void {
  const check = (title: string, run: (one: SandboxesSetup) => Promise<void>): void => {
    test(`${name}: ${title}`, { skip: options.skip ?? false }, async () => {
      const one = await setup()
      try {
        await run(one)
      } finally {
        await one.teardown()
      }
    })
  }

  check('a sandbox is leased, made, found and released; releasing again is no error', async (one) => {
    const { sandboxes } = one.networks
    const id = await one.newId()
    assert.equal(sandboxes.find(id), undefined)
    const leased = sandboxes.reserve(request(id, one.names[0]))
    assert.equal(leased.endpoints[0]?.networkName, one.names[0])
    assert.notEqual(leased.endpoints[0]?.ipv4, '')
    const made = await sandboxes.setUp(request(id, one.names[0]))
    assert.equal(made.endpoints[0]?.ipv4, leased.endpoints[0]?.ipv4)
    assert.equal(sandboxes.find(id)?.sandboxId, made.sandboxId)
    sandboxes.rename(id, 'renamed')
    sandboxes.release(id)
    sandboxes.release(id)
    assert.equal(sandboxes.find(id), undefined)
  })

  check('two containers have different addresses; a second lease replaces the first', async (one) => {
    const { sandboxes } = one.networks
    const [a, b] = [await one.newId(), await one.newId()]
    const first = sandboxes.reserve(request(a, one.names[0]))
    const second = sandboxes.reserve(request(b, one.names[0]))
    assert.notEqual(first.endpoints[0]?.ipv4, second.endpoints[0]?.ipv4)
    assert.equal(sandboxes.reserve(request(a, one.names[1])).endpoints.length, 1)
    assert.equal(sandboxes.find(a)?.endpoints[0]?.networkName, one.names[1])
    for (const id of [a, b]) sandboxes.release(id)
  })

  check('an unknown network is refused, and nothing is leased', async (one) => {
    const { sandboxes } = one.networks
    const id = await one.newId()
    assert.equal(one.networks.find('none-such'), undefined)
    assert.throws(
      () => sandboxes.reserve(request(id, 'none-such')),
      (error) => isKind(error, 'notFound'),
    )
    await fails(sandboxes.setUp(request(id, 'none-such')), 'notFound')
    assert.equal(sandboxes.find(id), undefined)
  })

  check('a running container joins and leaves a network, each once', async (one) => {
    const { sandboxes } = one.networks
    const id = await one.newId()
    const { endpoints: _, ...owner } = request(id, one.names[0])
    await sandboxes.setUp(request(id, one.names[0]))
    const joined = await sandboxes.connect(owner, { network: one.names[1] })
    assert.deepEqual(
      joined.endpoints.map(({ networkName }) => networkName),
      [...one.names],
    )
    await fails(sandboxes.connect(owner, { network: one.names[1] }), 'forbidden')
    const left = await sandboxes.disconnect(id, one.networks.find(one.names[0])?.id ?? '')
    assert.deepEqual(
      left.endpoints.map(({ networkName }) => networkName),
      [one.names[1]],
    )
    sandboxes.release(id)
  })
}

function request(containerId: string, network: string): SandboxRequest {
  return { containerId, name: containerId.slice(0, 12), hostname: 'box', endpoints: [{ network }], ports: [] }
}

async function fails(promise: Promise<unknown>, kind: ErrorKind): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isKind(error, kind), `${String(error)} is not ${kind}`)
    return true
  })
}
