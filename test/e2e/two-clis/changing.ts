/** Scripts with their own objects (whose names begin with `$p`), and refused commands. One per line; `docker` means
 *  either CLI. */
export const changing: readonly string[] = String.raw`
docker run
docker run --bogus busybox
docker run -m
docker run -d --rm --restart always busybox
docker run -it busybox true
docker run -i -t -d -a stdout busybox
docker run --rm busybox true
docker run --rm busybox sh -c 'echo a; echo b >&2; exit 7'
docker run --rm busybox nope; docker run --rm busybox /etc/not-executable; docker run --rm busybox /bin
docker run --rm --entrypoint /nope busybox
docker run --rm -w /etc/passwd busybox true
docker run --rm -u nobody-here busybox true
docker run --rm --pull never nope:1
docker run --rm --pull foo busybox
docker run --rm 127.0.0.1:9/nope:1
docker run --rm BAD
docker run --rm -v /a:/b:foo busybox
docker run --rm -v /a:b busybox
docker run --rm -v :/b busybox
docker run --rm -v 'a b:/c' busybox
docker run --rm --mount type=bind,source=/nope-dir,target=/x busybox true
docker run --rm --mount type=foo,target=/x busybox
docker run --rm --mount type=volume busybox
docker run --rm --tmpfs foo busybox true
docker run --rm --network nope busybox true
docker run --rm --network container:nope busybox true
docker run --rm --ip 1.2.3.4 busybox true
docker run --rm --cap-add FOO busybox true
docker run --rm --security-opt foo=bar busybox true
docker run --rm --runtime nope busybox true
docker run --rm --log-driver nope busybox true
docker run --rm --log-opt foo=bar busybox true
docker run --rm --ulimit nofile=-5 busybox true
docker run --rm --memory 1k busybox true
docker run --rm --memory 8m --memory-swap 7m busybox true
docker run --rm --cpus 9999 busybox true
docker run --rm --cpuset-cpus 999 busybox true
docker run --rm --pids-limit -2 busybox true
docker run --rm --device /nope busybox true
docker run --rm --shm-size -1 busybox true
docker run --rm --stop-signal FOO busybox true
docker run --rm --restart foo busybox true
docker run --rm --restart always:3 busybox true
docker run --rm --ipc foo busybox true
docker run --rm --pid container:nope busybox true
docker run --rm --userns foo busybox true
docker run --rm --cgroupns foo busybox true
docker run --rm --volumes-from nope busybox true
docker run --rm --link nope:x busybox true
docker run --rm --add-host foo busybox true
docker run --rm --add-host h:1.2.3.4 --add-host g=1::2 busybox cat /etc/hosts | grep -E '^(1\.2\.3\.4|1::2)'
docker run --rm --name 'bad name' busybox true
docker run --rm --name up busybox true
docker run --rm --health-cmd true --health-interval 1ns busybox true
docker run --rm --platform linux/arm64 busybox true
docker run --rm -e A=1 -e B -e C= -l x=y --env-file /nope busybox env
printf 'A=1\n# c\nB\n  D=4\nE = 5\n' > f; docker run --rm --env-file f busybox env
printf 'A=1\n#c\n\nHOME_X\nB=x=y\n' > f; B2=7 docker run --rm -e B2 --env-file f busybox env | sort
printf '=x\n' > f; docker run --rm --env-file f busybox env
printf 'a b=c\n' > f; docker run --rm --label-file f busybox true
docker run --rm --label-file /nope busybox true
docker run --rm -l =x busybox true
docker run --rm -e =x busybox true
docker run --cidfile c --name $p-a busybox true; wc -c < c; docker run --cidfile c busybox true; docker rm $p-a
docker run -d --name $p-a busybox true && docker wait $p-a && docker run --name $p-a busybox true; docker rm $p-a
echo hello | docker run --rm -i busybox cat
echo hello | docker run --rm busybox cat
docker run --rm -a stderr busybox sh -c 'echo a; echo b >&2'
docker run --rm -a foo busybox true
docker run --rm -t busybox sh -c 'echo a; tty'
docker run --rm --read-only busybox touch /x
docker run --rm -e A=1 -w /tmp -u app -h box busybox sh -c 'echo $A $PWD $USER $(id -un) $(hostname)'
docker run --rm --init busybox ps
docker run --rm --sig-proxy=false --stop-timeout 3 --oom-kill-disable busybox true
docker run --rm --memory-swappiness 50 --kernel-memory 8m busybox true
docker create
docker create --name $p-a busybox true; docker create --name $p-a busybox; docker start $p-a; docker wait $p-a; docker start -a $p-a; docker start nope; docker start $p-a nope; docker rm $p-a
docker create nope:1 --pull never
docker create --pull never nope:1
docker start -a a b
docker start -i nope
docker run --name $p-a busybox sh -c 'echo x; exit 4'; docker start -a $p-a; docker start -ai $p-a; docker rm $p-a
docker stop nope
docker stop -t foo up
docker stop -s FOO held
docker restart nope
docker kill done
docker kill nope
docker kill -s FOO up
docker kill -s 99 up
docker kill -s 0 up
docker pause done; docker pause held; docker pause nope; docker unpause up; docker unpause nope; docker pause; docker unpause
docker rm held
docker rm nope
docker rm -f nope; docker rm -f nope nope2
docker rm -l up
docker rm -v made nope --bogus
docker rename up done
docker rename nope x
docker rename up 'bad name'
docker rename up ''
docker rename a
docker create --name $p-a busybox true; docker rename $p-a $p-b; docker rename $p-a $p-b; docker rm $p-b
docker wait nope
docker wait done done nope
docker attach done
docker attach held
docker attach nope
docker exec
docker exec up
docker exec nope true
docker exec done true
docker exec held true
docker exec up nope
docker exec up /etc/not-executable
docker exec up sh -c 'exit 9'
docker exec -w /nope up true
docker exec -u nobody-here up true
docker exec -e A=1 -e B=2 up sh -c 'echo $A$B$COLOR'
docker exec --env-file /nope up true
docker exec -d up true
docker exec -it up true
docker exec -t up tty
echo in | docker exec -i up cat
docker exec --privileged -u app -w /tmp up sh -c 'id -un; pwd'
docker exec --detach-keys foo,bar up true
docker exec -e =x up true
docker cp
docker cp a
docker cp a b
docker cp up:/nope .
docker cp nope:/x .
docker cp up:/etc/passwd . && cat passwd
docker cp up:/etc/passwd - | tar t
docker cp up:/etc/passwd nodir/x
docker cp up:/etc . && ls etc
docker cp up:/etc/. d2; ls d2
docker cp up:/etc/passwd x/; ls
echo hi > f; docker cp f up:/$p-f; docker exec up cat /$p-f; docker cp f up:/nodir/x; docker cp f up:/etc/passwd/x
mkdir d; echo 1 > d/a; docker cp d up:/tmp/$p-d; docker exec up ls /tmp/$p-d
docker cp -q f up:/x
docker cp up:/etc/passwd done:/x
docker cp - up:/tmp < /dev/null
echo nottar | docker cp - up:/tmp
docker cp up:etc/passwd - | tar t
docker cp ./a:b up:/x
docker cp up:/host/nope -
docker update
docker update nope
docker update --memory 32m done
docker update --restart foo done
docker update --restart no done
docker update --cpus 1 --pids-limit 50 done made
docker update --memory 1k done
docker update done
docker commit nope
docker commit done BAD
docker commit done $p:1 && docker inspect -f '{{.Comment}}|{{.Author}}' $p:1; docker rmi $p:1
docker commit -c FOO done $p:2
docker commit -c 'CMD x' -m msg -a me -p=false done $p:2; docker image inspect -f '{{.Config.Cmd}} {{.Comment}} {{.Author}}' $p:2; docker rmi $p:2
docker export nope
docker export done > f; tar tf f | head -3
docker export -o nodir/f done
docker export -o f done; ls
docker tag nope x:1
docker tag busybox BAD
docker tag busybox $p:1; docker images $p; docker rmi $p:1
docker tag busybox
docker rmi nope
docker rmi -f nope
docker tag busybox $p:1; docker tag busybox $p:2; docker rmi $p:1 $p:2 nope
docker save nope
docker save
docker save -o nodir/f busybox
docker save busybox > f; tar tf f | grep -c json
docker save -o f busybox; ls; docker load -i f; docker load -q -i f; docker load < f
docker load -i nope
echo x | docker load
docker load extra
echo x | docker import -
echo x | docker import - BAD
docker export done | docker import - $p:1; docker images -q $p; docker rmi $p:1 | head -2
docker export done > f; docker import -m msg -c 'CMD x' f $p:1; docker image inspect -f '{{.Config.Cmd}} {{.Comment}}' $p:1;  docker rmi $p:1 | head -2
docker import nope-file x
docker import http://127.0.0.1:9/x
docker import -c FOO /dev/null x
docker pull 127.0.0.1:9/x
docker pull BAD
docker pull -a x:1
docker pull -q 127.0.0.1:9/x:1
docker push 127.0.0.1:9/x
docker push BAD
docker push -a 127.0.0.1:9/x:1
docker push busybox@sha256:0123456789012345678901234567890123456789012345678901234567890123
docker search 127.0.0.1:9/x
docker search --limit 200 127.0.0.1:9/x
docker search --filter foo=bar 127.0.0.1:9/x
docker search --filter stars=x 127.0.0.1:9/x
docker login 127.0.0.1:9 -u a -p b
docker login -u a --password-stdin 127.0.0.1:9 < /dev/null
echo b | docker login -u a --password-stdin 127.0.0.1:9
docker login -u a --password-stdin -p b
docker login --password-stdin 127.0.0.1:9
docker logout 127.0.0.1:9
docker logout
docker volume create $p-v; docker volume create $p-v; docker volume rm $p-v; docker volume rm $p-v; docker volume rm -f $p-v
docker volume create -d nope $p
docker volume create 'bad name'
docker volume create --label a=b --opt foo=bar $p-v
docker volume create | wc -c
docker container prune --filter foo=bar -f
docker container prune --filter until=x -f
docker container prune --filter label=none-such -f
docker image prune --filter foo=bar -f
docker image prune --filter label=none-such -f -a
docker volume prune --filter label=none-such -f
docker volume prune --filter foo=x -f
docker network prune --filter label=none-such -f
docker system prune --filter label=none-such -f
docker system prune --filter label=none-such -f --volumes
docker system prune --filter until=1h -f --volumes
docker system prune --filter foo=x -f
docker container prune < /dev/null
echo n | docker container prune
echo n | docker image prune -a
echo n | docker system prune
echo n | docker system prune -a --volumes --filter label=x
echo n | docker volume prune -a
echo n | docker network prune
echo n | docker volume prune
echo n | docker image prune
echo y | docker container prune --filter label=none-such
echo Y | docker container prune --filter label=none-such
echo yes | docker container prune --filter label=none-such
docker logs -f --since 1h --until 1s done
docker logs --tail=2 --timestamps done 2>/dev/null | wc -l
docker bogus
docker container bogus
docker image bogus
docker volume bogus
docker network bogus
docker system bogus
docker --bogus ps
docker -H tcp://127.0.0.1:9 ps
docker -H bogus://x ps
docker -H unix:///nope ps
docker -H tcp://127.0.0.1:9 run busybox
docker -l bogus ps
docker ps -f
docker -v | sed 's/ersion.*//'
docker --version extra | sed 's/ersion.*//'
docker version --bogus
docker image rm --platform bad/x/y/z/a busybox
docker pull --platform bad/x/y/z/a busybox
docker run --platform bad/x/y/z/a busybox
docker save --platform bad/x/y/z/a busybox
docker load --platform foo/bar/baz/x
docker push --platform foo/bar/baz/x busybox
docker import --platform foo/bar/baz/x -
docker create --platform foo busybox
docker create --name $p-a busybox true; docker stop $p-a; docker kill -s '' $p-a; docker rename $p-a $p-a; docker rm $p-a $p-a
docker run -d --name $p-a busybox sleep 100; docker rm $p-a; docker stop -t 0 $p-a nope; docker stop $p-a; docker rm $p-a
docker tag busybox $p:1; docker rmi $p:1
docker commit done $p:1; docker rmi $(docker images -q $p:1)
docker create --name $p-a other/app:2 x; docker rmi other/app:2; docker rm $p-a
docker volume create $p-v; docker create --name $p-a -v $p-v:/v busybox; docker volume rm $p-v; docker rm -v $p-a; docker volume rm $p-v
docker run --rm --network none --blkio-weight-device /dev/null:100 busybox true
docker run --rm --network none --disable-content-trust=true busybox true
docker run --rm --link-local-ip 169.254.9.9 busybox sh -c 'ip -4 -o addr show eth0 | grep -c 169.254.9.9'
docker run --rm --expose 70000 busybox true; docker run --rm --expose 1x busybox true
docker run --rm --device-cgroup-rule bad busybox true; docker run --rm --device-cgroup-rule 'c 1:3 rwmx' busybox true
docker network create --ingress $p-n; docker network create --scope swarm $p-n
docker network create --scope local --ipam-opt a=b $p-n; docker network inspect -f '{{.IPAM.Options}} {{.Scope}}' $p-n; docker network rm $p-n
docker network create $p-n; docker run -d --name $p-a busybox sleep 100; docker network connect --driver-opt a=b --gw-priority 5 --link-local-ip 169.254.3.3 $p-n $p-a; docker inspect -f '{{range .NetworkSettings.Networks}}{{json .DriverOpts}} {{.GwPriority}}{{end}}' $p-a; docker rm -f $p-a; docker network rm $p-n
docker volume create --availability pause $p-v; docker volume create --group g $p-v; docker volume create --scope multi --sharing all $p-v
docker volume create --required-bytes 2m --limit-bytes 1m $p-v; docker volume create --type block $p-v; docker volume create --limit-bytes bad $p-v
docker volume create --secret a=b --topology-required c=d --topology-preferred e=f $p-v; docker volume rm $p-v
docker volume ls --cluster; docker volume ls --cluster -q; docker volume ls --cluster --format '{{.Name}}'
docker history --human=false --no-trunc --format '{{.Size}} {{.CreatedAt}}' busybox
docker run -d --name $p-a busybox sleep 100; docker exec --detach --env A=b --tty $p-a true; docker exec --env-file /nosuch $p-a true; docker commit --author 'A B' --message mm --pause=false $p-a $p:1; docker inspect -f '{{.Author}} {{.Comment}}' $p:1; docker rmi $p:1; docker rm -f $p-a
docker cp --archive --follow-link --quiet done:/etc/passwd f; ls
docker pull --all-tags busybox:1; docker push --all-tags busybox:1
docker rmi --platform linux/s390x busybox; docker rmi --platform foo/bar/baz/x busybox
docker login --username a --password b --password-stdin
`
  .trim()
  .split('\n')
