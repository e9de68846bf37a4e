import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from 'dns-packet'
import { Forwarder, UpstreamSockets } from './forwarder.ts'
import { parseQuery, type Query, responseCode, responseCodeOf, type Transport } from './message.ts'

interface Question {
  readonly transport: Transport
  readonly address: string
  readonly answered: (response: Buffer) => void
  readonly failed: (error: Error) => void
  isGivenUp: boolean
}

/** Sockets that only record the questions. Servers whose address begins with `!` can't be asked at all. */
class RecordedSockets extends UpstreamSockets {
  readonly questions: Question[] = []

  constructor() {
    super((work) => work())
  }

  override ask(
    transport: Transport,
    address: string,
    _query: Query,
    answered: (response: Buffer) => void,
    failed: (error: Error) => void,
  ): () => void {
    if (address.startsWith('!')) throw new Error('no route to host')
    const question = { transport, address, answered, failed, isGivenUp: false }
    this.questions.push(question)
    return () => {
      question.isGivenUp = true
    }
  }

  get addresses(): string[] {
    return this.questions.map(({ address }) => address)
  }
}

const bytes = encode({ type: 'query', id: 4711, questions: [{ type: 'A', name: 'a.test', class: 'IN' }] })
const query = parseQuery(bytes)
assert.ok(query !== undefined && !Buffer.isBuffer(query))

function answer(code: number, id = 99): Buffer {
  return encode({ type: 'response', id, flags: code, questions: [{ type: 'A', name: 'a.test', class: 'IN' }] })
}

function place(...addresses: string[]) {
  const sockets = new RecordedSockets()
  const container = new RecordedSockets()
  const servers = addresses.map((address) => ({ address, from: 'host' as const }))
  const forwarder = new Forwarder({ servers, sockets: { host: sockets, container } })
  return { sockets, container, forwarder, forward: (transport: Transport = 'udp') => forwarder.forward(query as Query, transport) } // biome-ignore format: one line
}

test('Forwarder gives the first answer with the id of the query, and asks no further server', async () => {
  const { sockets, forward } = place('10.0.0.1', '10.0.0.2')
  const response = forward()
  sockets.questions[0]?.answered(answer(responseCode.ok))
  assert.equal(decode(await response).id, 4711)
  assert.deepEqual(sockets.addresses, ['10.0.0.1'])
  assert.ok(sockets.questions[0]?.isGivenUp)
})

test('Forwarder asks the next server after a failure at once, and skips those that it cannot ask', async () => {
  const { sockets, forward } = place('!', '10.0.0.1', '10.0.0.2')
  const response = forward()
  assert.deepEqual(sockets.addresses, ['10.0.0.1'])
  sockets.questions[0]?.failed(new Error('refused'))
  sockets.questions[0]?.failed(new Error('again'))
  assert.deepEqual(sockets.addresses, ['10.0.0.1', '10.0.0.2'])
  sockets.questions[1]?.answered(answer(responseCode.ok))
  assert.equal(responseCodeOf(await response), responseCode.ok)
})

test('Forwarder asks a second server if the first is slow, and takes the first answer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { sockets, forward } = place('10.0.0.1', '10.0.0.2')
  const response = forward()
  t.mock.timers.tick(1500)
  assert.deepEqual(sockets.addresses, ['10.0.0.1', '10.0.0.2'])
  sockets.questions[0]?.answered(answer(3))
  assert.equal(responseCodeOf(await response), 3)
  assert.ok(sockets.questions[1]?.isGivenUp)
})

test('Forwarder gives a refusal only if no server has a better answer', async () => {
  const { sockets, forward } = place('10.0.0.1', '10.0.0.2')
  const better = forward()
  sockets.questions[0]?.answered(answer(responseCode.refused))
  sockets.questions[1]?.answered(answer(responseCode.ok))
  assert.equal(responseCodeOf(await better), responseCode.ok)
  const refused = forward('tcp')
  sockets.questions[2]?.answered(answer(responseCode.refused))
  sockets.questions[3]?.answered(answer(responseCode.serverFailure))
  assert.equal(responseCodeOf(await refused), responseCode.refused)
})

test('Forwarder asks three servers twice by UDP and once by TCP, then answers SERVFAIL', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const [transport, count] of [
    ['udp', 6],
    ['tcp', 3],
  ] as const) {
    // biome-ignore format: one line
    const { sockets, forward } = place('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4')
    const response = forward(transport)
    for (let turn = 0; turn < count; turn += 1) t.mock.timers.tick(1500)
    assert.equal(responseCodeOf(await response), responseCode.serverFailure)
    assert.equal(sockets.questions.length, count)
    assert.ok(
      sockets.questions.every((one) => one.isGivenUp && one.transport === transport && one.address !== '10.0.0.4'),
    )
  }
})

test('Forwarder answers SERVFAIL without servers, and REFUSED if 1024 questions are waiting', async () => {
  assert.equal(responseCodeOf(await place().forward()), responseCode.serverFailure)
  const { sockets, forward } = place('10.0.0.1')
  const waiting = Array.from({ length: 1024 }, () => forward())
  assert.equal(responseCodeOf(await forward()), responseCode.refused)
  for (const question of sockets.questions) question.answered(answer(responseCode.ok))
  await Promise.all(waiting)
  const next = forward()
  sockets.questions.at(-1)?.answered(answer(responseCode.ok))
  assert.equal(responseCodeOf(await next), responseCode.ok)
})

test('Forwarder asks each server from its namespace', () => {
  const { sockets, container, forwarder, forward } = place()
  forwarder.upstream = { servers: [{ address: '10.0.0.9', from: 'container' }], sockets: { host: sockets, container } }
  void forward()
  assert.deepEqual([sockets.addresses, container.addresses], [[], ['10.0.0.9']])
  container.questions[0]?.answered(answer(responseCode.ok))
})
