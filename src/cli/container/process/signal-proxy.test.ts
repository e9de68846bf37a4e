import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { CliContext } from '../../command/command.ts'
import { proxySignals } from './signal-proxy.ts'

test('proxySignals() passes each signal on, and gives up at the third interrupt', async () => {
  const sent: string[] = []
  const kill = async (id: string, signal: string): Promise<void> => {
    sent.push(`${id} ${signal}`)
    throw new Error('the container has gone')
  }
  const context = { client: { containerLifecycle: { kill } } } as unknown as CliContext
  const proxy = proxySignals(context, '0123', 'web')
  let end: unknown
  proxy.orGiveUp(new Promise<never>(() => undefined)).catch((error: unknown) => {
    end = error
  })
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGUSR1'] as const) process.emit(signal)
  await turn()
  assert.equal(end, undefined)
  process.emit('SIGINT')
  await turn()
  assert.match(String(end), /gave up on the container after 3 interrupts.*berth kill web/)
  assert.deepEqual(sent, ['0123 SIGINT', '0123 SIGHUP', '0123 SIGTERM', '0123 SIGUSR1', '0123 SIGINT'])
  proxy.stop()
})
