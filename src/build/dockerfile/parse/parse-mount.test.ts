import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mount } from '../instructions/mount.ts'
import { ExpansionError } from '../words/expansion-error.ts'
import { parseMount } from './parse-mount.ts'

const bind = { type: 'bind', source: '/', readOnly: true } as const
const cache = {
  type: 'cache',
  source: '/',
  readOnly: false,
  sharing: 'shared',
  mode: 0o755,
  uid: 0,
  gid: 0,
} as const
const secret = { type: 'secret', required: false, mode: 0o400, uid: 0, gid: 0 } as const
const ssh = { type: 'ssh', id: 'default', required: false, mode: 0o600, uid: 0, gid: 0 } as const

const mounts: readonly (readonly [text: string, mount: Mount])[] = [
  ['target=/a', { ...bind, target: '/a' }],
  ['type=bind,dst=a,src=b,from=c,rw', { ...bind, target: 'a', source: 'b', from: 'c', readOnly: false }],
  ['TYPE=bind,Destination=/a,readonly=false', { ...bind, target: '/a', readOnly: false }],
  ['target=/a,readwrite=false', { ...bind, target: '/a' }],
  ['target=.', { ...bind, target: '.' }],
  ['from=x', { ...bind, target: '.', from: 'x' }],
  ['"target=/a,b",source=c', { ...bind, target: '/a,b', source: 'c' }],
  ['type=cache,target=/a', { ...cache, target: '/a' }],
  [
    'type=cache,target=/a,id=x,sharing=locked,from=y,source=z,mode=0700,uid=1,gid=2,ro',
    {
      ...cache,
      target: '/a',
      id: 'x',
      sharing: 'locked',
      from: 'y',
      source: 'z',
      mode: 0o700,
      uid: 1,
      gid: 2,
      readOnly: true,
    },
  ],
  ['type=tmpfs,target=/a', { type: 'tmpfs', target: '/a' }],
  ['type=tmpfs,target=/a,size=64m', { type: 'tmpfs', target: '/a', sizeBytes: 64 * 1024 * 1024 }],
  ['type=tmpfs,target=/a,size=100', { type: 'tmpfs', target: '/a', sizeBytes: 100 }],
  ['type=secret,id=a', { ...secret, id: 'a', target: '/run/secrets/a' }],
  ['type=secret,target=/x/b', { ...secret, id: 'b', target: '/x/b' }],
  ['type=secret,id=a,env=A', { ...secret, id: 'a', env: 'A' }],
  ['type=secret,id=a,env=A,target=/b', { ...secret, id: 'a', env: 'A', target: '/b' }],
  [
    'type=secret,id=a,required,mode=0444,uid=1',
    { ...secret, id: 'a', target: '/run/secrets/a', required: true, mode: 0o444, uid: 1 },
  ],
  ['type=ssh', ssh],
  ['type=ssh,id=x,target=/s,required=true', { ...ssh, id: 'x', target: '/s', required: true }],
  // Unexpanded values are not checked yet.
  ['type=cache,target=/a/$X,uid=$U', { ...cache, target: '/a/$X' }],
]

test('parseMount() knows all types, options and defaults', () => {
  for (const [text, mount] of mounts) assert.deepEqual(parseMount(text), mount, text)
})

test('parseMount() expands values', () => {
  const expand = (value: string) => value.replace('$X', 'x').replace('$U', '7').replace('$N', '')
  assert.deepEqual(parseMount('type=cache,target=/a/$X,uid=$U,id=$N', expand), { ...cache, target: '/a/x', uid: 7 })
  assert.throws(() => parseMount('type=cache,target=/a,uid=$X', expand), { message: 'invalid value x for uid' })
})

test('parseMount() names the option that it refuses', () => {
  for (const [text, problem] of [
    ['type=bnid,target=/a', 'unsupported mount type "bnid" (did you mean bind?)'],
    ['target=/', 'invalid mount target "/"'],
    ['target=//./', 'invalid mount target "//./"'],
    ['target', "invalid field 'target' must be a key=value pair"],
    ['foo', "invalid field 'foo' must be a key=value pair"],
    ['trget=/a', "unexpected key 'trget' in 'trget=/a' (did you mean target?)"],
    ['target=/a,ro=maybe', 'invalid value for readonly: maybe'],
    ['target=/a,required', "unexpected key 'required' for mount type 'bind'"],
    ['target=/a,mode=1', 'mode not allowed for "bind" type mounts'],
    ['target=/a,sharing=shared', 'invalid cache sharing set for bind mount'],
    ['target=/a,size=1m', "unexpected key 'size' for mount type 'bind'"],
    ['target=/a,from=$X', "'from' doesn't support variable expansion, define alias stage instead"],
    ['type=cache,target=/a,sharing=locket', 'unsupported sharing value "locket" (did you mean locked?)'],
    ['type=cache,target=/a,mode=9', 'invalid value 9 for mode'],
    ['type=cache,target=/a,uid=root', 'invalid value root for uid'],
    ['type=tmpfs,target=/a,size=big', 'invalid value for size: big'],
    ['type=secret', 'invalid secret mount. one of id, target required'],
    ['type=secret,id=a,source=b', 'secret mount should not have a source'],
    ['type=ssh,env=a', "unexpected key 'env' for mount type 'ssh'"],
    ['"target=/a', 'failed to parse csv mounts: "target=/a'],
  ] as const) {
    assert.throws(
      () => parseMount(text),
      (error) => error instanceof ExpansionError && error.message === problem,
      text,
    )
  }
})
