/** The README's first command, `berth run --rm hello`, with no daemon running. It runs in its own mount namespace,
 *  so that the machine's /var/lib/berth and /run stay as they are. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { berthProgram, networkTag, TestDaemon } from '../../helpers/daemons/daemon.ts'

const hello =
  /Hello from a container[\s\S]*created container [0-9a-f]{12} from it[\s\S]*leased address \d+\.\d+\.\d+\.\d+/

test('berth run --rm hello uses a running daemon', async () => {
  await using daemon = await TestDaemon.start()
  const { code, stdout, stderr } = await daemon.berth(['run', '--rm', 'hello'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, hello)
})

// Objects on the host of the daemon with the default data root have this tag in their names.
const tag = networkTag('/var/lib/berth')
const inUse =
  spawnSync('nft', ['list', 'table', 'ip', `berth-${tag}`], { stdio: 'ignore' }).status === 0 &&
  'the machine uses Berth itself'

test('berth run --rm hello starts a daemon if none is running', { skip: inUse }, async () => {
  const script = `
    mount -t tmpfs tmpfs /run && mkdir -p /var/lib/berth && mount -t tmpfs tmpfs /var/lib/berth || exit 90
    export BERTHD_LOG=/run/berthd.log
    '${berthProgram}' run --rm hello
    code=$?
    '${berthProgram}' ps -a
    pid=$(cat /run/berth/berthd.pid)
    kill $pid
    while kill -0 $pid 2>/dev/null; do sleep 0.05; done
    [ $code = 0 ] || cat /run/berthd.log
    for link in /sys/class/net/berth*; do
      # The default instance's bridge, if this run made it.
      [ "$(cat $link/ifalias)" = "berth:$1" ] && ip link del "\${link##*/}"
    done
    nft delete table ip "berth-$1"
    exit $code`
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', tag]
  const wasThere = existsSync('/var/lib/berth')
  const { code, stdout, stderr } = await runCommand('unshare', args, { cwd: join(import.meta.dirname, '../../..') })
  // Only the mount point was made on the host.
  if (!wasThere) rmdirSync('/var/lib/berth')
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, hello)
  assert.match(stdout, /^CONTAINER ID/m)
})
