import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, decode, encode, type RecordType } from 'dns-packet'
import { Forwarder, UpstreamSockets } from './forwarder.ts'
import type { Transport } from './message.ts'
import { NameTable } from './name-table.ts'
import { resolve } from './resolver.ts'

const view = { networkIds: ['a'], links: [], forward: false }
const recursionDesired = 0x100
const serverFailure = 2

function namesOf(count: number, ipv6 = false): NameTable {
  const names = new NameTable()
  for (let number = 1; number <= count; number += 1) {
    names.put({
      networkId: 'a',
      networkName: 'net',
      containerId: `c${number}`,
      endpointId: `e${number}`,
      names: [`web-${number}`, 'web'],
      ipv4: `10.0.0.${number}`,
      ipv6: ipv6 ? `fd00::${number}` : '',
    })
  }
  return names
}

function nowhere(): Forwarder {
  const sockets = new UpstreamSockets((work) => work())
  return new Forwarder({ servers: [], sockets: { host: sockets, container: sockets } })
}

async function ask(
  names: NameTable,
  name: string,
  type: RecordType,
  options: { udpSize?: number; transport?: Transport } = {},
) {
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: options.udpSize ?? 0,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
  const query = encode({
    type: 'query',
    id: 4711,
    flags: recursionDesired,
    questions: [{ type, name, class: 'IN' }],
    additionals: options.udpSize === undefined ? [] : [opt],
  })
  const response = await resolve(names, view, nowhere(), query, options.transport ?? 'udp')
  assert.ok(response !== undefined)
  const message = decode(response)
  assert.equal(message.id, 4711)
  assert.deepEqual(message.questions, [{ type, name, class: 'IN' }])
  const data = (message.answers ?? []).map((answer) => ('data' in answer ? String(answer.data) : ''))
  return { ...message, data, size: response.length, code: (message.flags ?? 0) & 15 }
}

test('resolve answers addresses of both families and keeps the case of the question', async () => {
  const names = namesOf(1, true)
  assert.deepEqual((await ask(names, 'wEb-1', 'A')).data, ['10.0.0.1'])
  assert.deepEqual((await ask(names, 'web-1', 'AAAA')).data, ['fd00::1'])
  assert.deepEqual((await ask(names, 'web-1.net', 'A')).data, ['10.0.0.1'])
  const { answers = [], flag_ra, flag_rd } = await ask(names, 'Web', 'A')
  const [answer] = answers
  assert.equal(answer?.name, 'Web')
  assert.ok(answer?.type === 'A' && answer.ttl === 600)
  assert.ok(flag_ra && flag_rd)
})

test('resolve gives an empty answer for a name without records of that type', async () => {
  const names = namesOf(1)
  for (const type of ['AAAA', 'MX', 'TXT', 'SRV'] as const) {
    const { code, data } = await ask(names, 'web', type)
    assert.deepEqual({ type, code, data }, { type, code: 0, data: [] })
  }
})

test('resolve answers PTR with container and network', async () => {
  assert.deepEqual((await ask(namesOf(1), '1.0.0.10.in-addr.arpa', 'PTR')).data, ['web-1.net'])
})

test('resolve truncates a large answer by UDP, and gives all of it by TCP or with EDNS', async () => {
  const names = namesOf(60)
  const plain = await ask(names, 'web', 'A')
  assert.ok(plain.flag_tc && plain.size <= 512 && plain.data.length > 20)
  const tcp = await ask(names, 'web', 'A', { transport: 'tcp' })
  assert.ok(!tcp.flag_tc && tcp.data.length === 60)
  const edns = await ask(names, 'web', 'A', { udpSize: 1232 })
  assert.ok(!edns.flag_tc && edns.data.length === 60)
  assert.equal(edns.additionals?.[0]?.type, 'OPT')
  const tiny = await ask(names, 'web', 'A', { udpSize: 100 })
  assert.ok(tiny.flag_tc && tiny.size <= 512)
})

test('resolve answers unknown names with SERVFAIL if nothing is forwarded', async () => {
  assert.equal((await ask(namesOf(1), 'example.com', 'A')).code, serverFailure)
})

test('resolve answers messages that are no queries with an error or not at all', async () => {
  const answer = (bytes: Buffer) => resolve(new NameTable(), view, nowhere(), bytes, 'udp')
  const codeOf = async (bytes: Buffer) => ((await answer(bytes)) ?? Buffer.alloc(4)).readUInt16BE(2) & 15
  assert.equal(answer(Buffer.from('too short')), undefined)
  const response = encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'web' }] })
  assert.equal(answer(response), undefined)
  const query = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'web' }] })
  assert.equal(await codeOf(query.subarray(0, 15)), 1)
  const update = Buffer.from(query)
  update.writeUInt16BE(5 << 11, 2)
  assert.equal(await codeOf(update), 4)
  const loop = Buffer.concat([query.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])
  assert.equal(await codeOf(loop), 1)
})
