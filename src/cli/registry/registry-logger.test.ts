import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LogStyle, registryLogger } from './registry-logger.ts'

function linesOf(style: LogStyle, log: (logger: ReturnType<typeof registryLogger>) => void): readonly string[] {
  const lines: string[] = []
  log(registryLogger(style, (line) => lines.push(line)))
  return lines.map((line) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME'))
}

test('registryLogger() writes readable text that programs can parse', () => {
  const lines = linesOf({ level: 'info', format: 'text' }, (logger) => {
    logger.info('ready', { address: 'http://a:1', count: 3, none: undefined })
    logger.child({ part: 'gc' }).warn('odd', { text: 'two words\n"quoted"', list: ['a'] })
    logger.debug('not shown')
  })
  assert.deepEqual(lines, [
    'TIME INFO  ready address=http://a:1 count=3\n',
    'TIME WARN  odd part=gc text="two words\\n\\"quoted\\"" list="[\\"a\\"]"\n',
  ])
})

test('registryLogger() writes JSON lines', () => {
  const lines = linesOf({ level: 'debug', format: 'json' }, (logger) => {
    logger.debug('a', { size: 3n })
    logger.error('b', { error: new Error('why') })
  })
  assert.deepEqual(JSON.parse(lines[0] ?? ''), { time: 'TIME', level: 'debug', message: 'a', size: '3' })
  assert.match(JSON.parse(lines[1] ?? '').error, /^Error: why\n {4}at /)
})

test('registryLogger() and its children follow a change of the level', () => {
  const style: LogStyle = { level: 'error', format: 'text' }
  const lines = linesOf(style, (logger) => {
    const child = logger.child({ part: 'x' })
    child.info('before')
    style.level = 'info'
    child.info('after')
  })
  assert.deepEqual(lines, ['TIME INFO  after part=x\n'])
})
