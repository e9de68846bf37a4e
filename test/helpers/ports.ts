/** Ports of the host that only one test uses, because tests and their programs run in parallel. */
import { randomInt } from 'node:crypto'
import { createServer, type ListenOptions, type Server } from 'node:net'

/** Below the kernel's range for outgoing connections (ip_local_port_range) and the range from which daemons publish
 *  ports: either could take a port between the choice and its use. */
const lowest = 20_000
const highest = 31_999

/** A port on which no process listens and which no other test gets while this process runs. */
export function freePort(): Promise<number> {
  return freePorts(1)
}

/** The first of `count` such consecutive ports. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const first = randomInt(lowest, highest - count)
    const ports = Array.from({ length: count }, (_, index) => first + index)
    const marks: Server[] = []
    for (const port of ports) marks.push(...(await markOf(port)))
    if (marks.length === count) return first
    for (const mark of marks) mark.close()
  }
  throw new Error(`no ${count} free ports from ${lowest} to ${highest}`)
}

/** Marks a port as taken for other tests; returns an empty list if that is not possible. */
async function markOf(port: number): Promise<Server[]> {
  // The kernel removes an abstract socket with its process, however that ends.
  const mark = await listen({ path: `\0berth-test-port-${port}` })
  if (mark === undefined) return []
  const probe = await listen({ host: '0.0.0.0', port })
  if (probe === undefined) {
    mark.close()
    return []
  }
  await new Promise((resolve) => probe.close(resolve))
  return [mark.unref()]
}

/** Undefined if the address is in use. */
function listen(address: ListenOptions): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(address, () => resolve(server))
  })
}
