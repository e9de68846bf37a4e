/** What an aborted run left is removed at the start of the next one. The tests have namespaces of their own, with a /tmp,
 *  network and processes of their own, because on the machine other tests run at the same time. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../helpers/command.ts'
import { networkTag } from '../helpers/daemons/daemon.ts'

const skip = process.env.BERTH_TEST_ROOT === undefined ? 'needs root, in test/run' : false
const project = join(import.meta.dirname, '../..')
const tags = { dead: networkTag('/tmp/b-dead/d'), live: networkTag('/tmp/b-live/d') }

/** Two data roots with mounts and tables, of which a process uses one, and a process of a run that is over. */
const scene = `
# The project itself may be below /tmp. A new /sys shows the devices of the new network namespace.
mount --bind ${project} /mnt
mount -t tmpfs tmpfs /tmp
mount -t sysfs sysfs /sys
for root in /tmp/b-dead /tmp/b-live; do
  mkdir -p $root/d
  echo '{}' >$root/daemon.json
  mount -t tmpfs tmpfs $root/d
done
nft add table ip berth-${tags.dead}
nft add table ip berth-${tags.live}
ip link add berth0 type bridge
ip link set berth0 alias berth:${tags.dead}
mkdir /tmp/berth-test-old /tmp/berth-test-new
echo 999999 >/tmp/berth-test-old/run
tail -f /tmp/b-live/daemon.json >/dev/null &
live=$!
BERTH_TEST_RUN=999999 sh -c 'trap "" TERM; sleep 1000 & wait' &
left=$!
# A forked shell has the name and arguments of this one until it starts its program.
until [ "$(cat /proc/$live/comm)" = tail ] && tr '\\0' ' ' </proc/$left/cmdline | grep -q '^sh -c trap'; do
  sleep 0.01
done
"$@"
echo "roots: $(echo /tmp/b*)"
echo "tables: $(nft list tables | tr '\\n' ' ')"
echo "links: $(ls /sys/class/net | tr '\\n' ' ')"
# Mounts of tests on the machine are in this list too.
echo "mounts: $(grep -cE ' /tmp/b-(dead|live)/' /proc/self/mountinfo)"
kill -0 $left 2>/dev/null && echo "process: alive" || echo "process: ended"
`

async function inScene(flags: readonly string[]): Promise<string> {
  const unshare = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', scene, 'sh']
  const program = ['/mnt/bin/node', '/mnt/test/runner/earlier-runs.ts', ...flags]
  // The marks of the surrounding run are those of dead runs here, because its processes are not visible.
  const env = { BERTH_TEST_RUN: undefined, NODE_TEST_CONTEXT: undefined }
  const { stdout, stderr } = await runCommand('unshare', [...unshare, ...program], { env })
  return stdout + stderr
}

test('what an aborted run left is removed and named; what a living process uses stays', { skip }, async () => {
  const output = await inScene([])
  assert.match(output, /left by an earlier run: process: \d+ sh -c trap/)
  assert.match(output, new RegExp(`left by an earlier run: data root: /tmp/b-dead \\(tag ${tags.dead}, 1 mounts\\)`))
  assert.match(output, /roots: \/tmp\/b-live \/tmp\/berth-test-new\n/, output)
  assert.match(output, new RegExp(`tables: table ip berth-${tags.live} \n`), output)
  assert.doesNotMatch(output, /links: .*berth0/)
  assert.match(output, /mounts: 1\nprocess: ended\n/, output)
})

test('with --report, nothing is removed', { skip }, async () => {
  const output = await inScene(['--report'])
  assert.match(output, /left by an earlier run: process: \d+ sh -c trap[\s\S]*nothing was removed/)
  assert.match(output, /roots: \/tmp\/b-dead \/tmp\/b-live \/tmp\/berth-test-new \/tmp\/berth-test-old\n/, output)
  assert.match(output, /links: .*berth0[\s\S]*mounts: 2\nprocess: alive\n/, output)
})
