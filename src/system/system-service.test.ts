import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { SystemVersion } from '../api/index.ts'
import { engineConfig } from '../config/index.ts'
import { type SystemParts, systemService } from './system-service.ts'

/** Programs that print a version, and a backend that reads the configuration of the moment. */
function setUp(context: TestContext) {
  const directory = mkdtempSync('/tmp/b-')
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const calls = join(directory, 'calls')
  const write = (name: string, version: string) => {
    const path = join(directory, name)
    // As a package manager does: the name is never without a whole file.
    writeFileSync(`${path}.new`, `#!/bin/sh\necho ${name} >>${calls}\n${version}\n`, { mode: 0o755 })
    renameSync(`${path}.new`, path)
    return path
  }
  const configOf = (name: string, path: string) =>
    engineConfig({ 'data-root': directory, runtimes: { [name]: { path } }, 'default-runtime': name })
  const state = { config: engineConfig({}) }
  const options = {
    get config() {
      return state.config
    },
  }
  const backend = systemService(options as SystemParts)
  const version = async (name: string) => componentOf(await backend.version(), name)
  return { write, configOf, state, version, calls }
}

function componentOf({ Components }: SystemVersion, name: string): string | undefined {
  return Components.find(({ Name }) => Name === name)?.Version
}

test('systemService.version() names the default runtime of the configuration in force', async (context) => {
  const { write, configOf, state, version } = setUp(context)
  state.config = configOf('one', write('first', 'echo first version 1.0'))
  assert.equal(await version('one'), '1.0')
  state.config = configOf('two', write('second', 'echo second version 2.0'))
  assert.equal(await version('two'), '2.0')
  assert.equal(await version('one'), undefined)
  state.config = configOf('two', write('third', 'echo third version 3.0'))
  assert.equal(await version('two'), '3.0')
})

test('systemService.version() asks a program once, and again when its file was replaced', async (context) => {
  const { write, configOf, state, version, calls } = setUp(context)
  const countCalls = () => readFileSync(calls, 'utf8').split('\n').length - 1
  state.config = configOf('one', write('program', 'echo program version 1.0'))
  assert.deepEqual([await version('one'), await version('one'), countCalls()], ['1.0', '1.0', 1])
  write('program', 'echo program version 1.1')
  assert.deepEqual([await version('one'), await version('one'), countCalls()], ['1.1', '1.1', 2])
})

test('systemService.version() asks a program that gave no version again', async (context) => {
  const { write, configOf, state, version, calls } = setUp(context)
  // Fails until the third call.
  const script = `[ $(wc -l <${calls}) -ge 3 ] && echo program version 1.0`
  state.config = configOf('one', write('program', script))
  assert.deepEqual([await version('one'), await version('one'), await version('one')], ['unknown', 'unknown', '1.0'])
  state.config = configOf('one', '/no/such/program')
  assert.equal(await version('one'), 'unknown')
})
