/** Scripts that change the whole daemon, as users write them. The official CLI and `berth` each run them on their
 *  own daemon, after the same preparation. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TwoClis } from '../../helpers/clients/two-clis.ts'
import { noDockerCli, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'

let daemons: TestDaemon[] = []
let clis: TwoClis

before(async () => {
  const [theirs, ours] = await Promise.all([TestDaemon.start(), TestDaemon.start()])
  daemons = [theirs, ours]
  clis = new TwoClis(theirs, { ours })
  for (const { root } of daemons) await writeBusyboxArchive({ path: join(root, 'busybox.tar') })
})
after(() => Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]())))

const prepare = [
  'docker load -q -i ../../busybox.tar',
  'docker volume create named',
  'docker run --name $p-ended -v /anonymous -v named:/n busybox sh -c "echo 12345 > /file; exit 2"',
  'docker create --name $p-made -l keep=yes busybox',
  'docker run -d --name $p-up --stop-timeout 0 busybox sleep 1000',
  'docker commit $p-ended $p-image:1',
  'docker tag $p-image:1 other:1',
].join(' >/dev/null; ')
const clear =
  'docker rm -fv $(docker ps -aq); docker rmi -f $(docker images -aq); docker volume rm $(docker volume ls -q)'

/** Sizes of unpacked files depend only on the file system. */
const scripts: readonly string[] = String.raw`
docker ps -aq | xargs docker rm -f | wc -l; docker ps -a
docker rm $(docker ps -aq -f status=exited); docker ps -a --format '{{.Names}}'
docker stop $(docker ps -q) | wc -l; docker ps -q; docker rm $(docker ps -aq) | wc -l
docker rmi $(docker images -q) 2>&1
docker rmi -f $(docker images -q -f dangling=true); docker rmi -f $p-image:1 other:1
docker container prune -f; docker ps -a --format '{{.Names}}'
docker container prune -f --filter label!=keep; docker ps -a --format '{{.Names}}'
echo y | docker container prune
docker image prune -f; docker image prune -af; docker images
docker rm -f $p-ended >/dev/null; docker image prune -af --filter until=1h; docker image prune -af | grep -v Deleted; docker images
docker volume prune -f; docker volume ls -q
docker rm $p-ended >/dev/null; docker volume prune -f | wc -l; docker volume prune -af; docker volume ls -q
docker system prune -f | grep -v ^Deleted; docker ps -a --format '{{.Names}}'; docker images --format '{{.Repository}}' | sort
docker system prune -af --volumes | grep -v '^[a-zD].*:*[0-9a-f]\{64\}$'; docker images; docker volume ls -q
echo y | docker system prune | grep -v ^Deleted
docker system df; docker system df --format '{{.Type}} {{.Active}}/{{.TotalCount}} {{.Reclaimable}}'
docker system df -v
docker network prune -f; docker network ls --format '{{.Name}}'
for c in $(docker ps -q); do docker inspect -f '{{.Name}} {{.Config.Image}}' $c; done
docker ps --format '{{.Names}}' | while read n; do docker exec $n hostname | wc -c; done
docker kill $(docker ps -q) | wc -l; docker ps -a --format '{{.Names}} {{.State}}'
docker logs $(docker ps -lq) 2>&1; docker start -a $p-ended; echo $?; docker inspect -f '{{.State.ExitCode}}' $p-ended
docker export $p-ended | tar t | grep -c file; docker save other:1 | tar t | grep -c manifest.json
docker cp $p-ended:/file - | tar xO; docker diff $p-ended
sleep 1; t=$(date +%s); docker rm -f $p-up >/dev/null; docker events --since $t --until $(($(date +%s) + 1)) --filter container=$p-up --format '{{.Action}} {{.Actor.Attributes.exitCode}}' | grep -v exec
docker history -q other:1 | head -1 | wc -c; docker images -f before=other:1 --format '{{.Repository}}'
docker update --restart=no $(docker ps -q) | wc -l; docker rename $p-made $p-new; docker ps -a -f name=$p-new --format '{{.Names}}'
set -e; id=$(docker run -d busybox sleep 100); docker exec $id true; docker stop -t 0 $id | wc -c; docker wait $id; docker rm $id | wc -c
`
  .trim()
  .split('\n')

describe('two CLIs', { skip: noDockerCli }, () => {
  for (const script of scripts) {
    test(script, async () => {
      const { theirs, ours } = await clis.run(script, { before: prepare, after: clear })
      assert.deepEqual(ours, theirs)
    })
  }
})
