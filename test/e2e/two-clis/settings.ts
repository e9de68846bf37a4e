/** Settings that clients read besides the command line: contexts, config.json, the environment. One per line;
 *  `docker` means either CLI, and each CLI has its own configuration directory. */
export const settings: readonly string[] = String.raw`
docker context create $p --docker host=unix:///tmp/x --description 'a b'; docker context inspect $p; docker context rm $p
docker context create $p --docker host=unix:///tmp/x; docker context create $p; docker context rm $p; docker context rm $p
docker context create $p --docker host=tcp://127.0.0.1:9; docker -c $p ps; docker context update $p --docker host=unix:///nope --description x; docker -c $p ps; docker context rm $p
docker context create default; docker context create 'a b'; docker context create $p --docker foo=bar; docker context create $p --docker host
docker context create $p --from default; docker context rm $p; docker context create $p --from nope
docker context use nope; docker context use; docker context rm default; docker context rm nope; docker context rm
docker context inspect nope; docker context inspect -f '{{.Name}} {{.Nope}}' default; docker context import x nofile; docker context import $p - < /dev/null
docker context update nope; docker context update default; docker context update; docker context bogus
mkdir c; docker --config c context ls; docker --config c context ls -q; docker --config c context show
mkdir c; DOCKER_HOST= docker --config c context ls -q; DOCKER_HOST= DOCKER_CONTEXT=nope docker --config c context show; DOCKER_HOST= DOCKER_CONTEXT=nope docker --config c ps
docker -c nope ps; docker -c x -H unix:///y ps; docker -H a -H b ps; docker --context= ps -q
printf '{"psFormat":"{{.Names}}!"}' > config.json; docker --config . ps -a; docker --config . ps -a --format table; docker --config . ps -aq
printf '{"psFormat":"table {{.Image}}\\t{{.Names}} {{.Size}}"}' > config.json; docker --config . ps -a
printf '{"psFormat":"{{.Nope"}' > config.json; docker --config . ps -a; docker ps --format '{{.Nope'; docker images --format '{{.Nope'
printf '{"imagesFormat":"{{.Repository}}","networksFormat":"{{.Name}}","volumesFormat":"{{.Name}}"}' > config.json; docker --config . images; docker --config . network ls; docker --config . volume ls
printf '{"statsFormat":"{{.Name}}"}' > config.json; docker --config . stats --no-stream up
printf '{"pruneFilters":["label=x"]}' > config.json; echo n | docker --config . system prune; echo n | docker --config . container prune
printf '{"pruneFilters":["foo=x"]}' > config.json; docker --config . container prune -f
printf 'not json' > config.json; docker --config . ps -q 2>/dev/null; docker --config . ps 2>&1 | grep -c 'WARNING: Error parsing config file (config.json)'
printf '' > config.json; docker --config . ps -q; printf '[]' > config.json; docker --config . ps -q 2>/dev/null
printf '{"HttpHeaders":{"User-Agent":"me","X-A":"b"}}' > config.json; docker --config . ps -q
printf '{"currentContext":"gone"}' > config.json; docker --config . ps -q; unset DOCKER_HOST; docker --config . ps -q; docker --config . context show
printf '{"credsStore":"nope"}' > config.json; docker --config . login -u a -p b 127.0.0.1:9; docker --config . pull 127.0.0.1:9/x
DOCKER_API_VERSION=1.30 docker version -f '{{.Client.APIVersion}} {{.Server.APIVersion}}'; DOCKER_API_VERSION=1.10 docker version | sed -n 's/1\.5./1.5x/;/downgraded/p'
DOCKER_API_VERSION=1.10 docker ps; DOCKER_API_VERSION=9.99 docker ps; DOCKER_API_VERSION=bad docker ps; DOCKER_API_VERSION=v1.40 docker ps -q
DOCKER_API_VERSION=1.24 docker ps -aq; DOCKER_API_VERSION=1.24 docker images -q
DOCKER_DEFAULT_PLATFORM=linux/s390x docker run --rm --pull never busybox true; DOCKER_DEFAULT_PLATFORM=linux/s390x docker create --pull never busybox
docker --tlsverify --tlscacert /nope -H tcp://127.0.0.1:9 ps; docker --tlsverify=false --tlscacert /nope -H tcp://127.0.0.1:9 ps
docker -D ps --nope; docker -l debug ps -q; docker -l; docker -H; docker --config; docker help nope; docker --nope; docker -x ps
docker ps --no-trunc=maybe; docker ps -n x; docker ps -an 1 -q; docker ps -nq; docker ps --format; docker run -e; docker run -x; docker run --rm=no busybox
docker update --kernel-memory 1m nope; docker restart -s FOO nope; docker attach --detach-keys foo nope; docker stats --format x --no-stream nope
`
  .trim()
  .split('\n')
