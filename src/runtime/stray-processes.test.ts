import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerOf } from './stray-processes.ts'

test('containerOf() knows monitors and runtimes of this directory, and nothing else', () => {
  const of = (line: string) => containerOf(line.split(' '), '/run/berth')
  const monitor =
    'conmon --sync -c abc -b /run/berth/c/abc -p /run/berth/c/abc/pid --runtime-arg --root --runtime-arg x'
  assert.equal(of(monitor), 'abc')
  assert.equal(of('/proc/5/fd/9 --root /run/berth/crun create --bundle /run/berth/c/abc --pid-file x abc'), 'abc')
  assert.equal(of('crun --root /run/berth/crun delete --force abc'), 'abc')
  assert.equal(of('crun --root /run/other/crun delete --force abc'), undefined)
  assert.equal(of('conmon -c abc -b /run/berth2/c/abc'), undefined)
  assert.equal(of('tail -f /run/berth/c/abc/config.json'), undefined)
  assert.equal(of('vi /run/berth/c/abc'), undefined)
})
