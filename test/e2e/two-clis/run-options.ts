/** Options of `run` and `create`: their effects, refused values, and the requests that the daemon gets. */
export const runOptions: readonly string[] = `
docker run --rm --mount type=bind,src=/tmp,dst=/x,readonly busybox touch /x/a
docker run --rm --mount type=tmpfs,dst=/x,tmpfs-size=foo busybox true
docker run --rm --mount type=bind,src=rel,dst=/x busybox true
docker run --rm --mount foo busybox true
docker run --rm --mount type=bind,foo=bar busybox true
docker run --rm --mount '' busybox true
docker run --rm --gpus all busybox true
docker run --rm --device /dev/null:/dev/x:rw busybox ls -l /dev/x | cut -c1-10
docker run --rm --expose 80-90 -P busybox true
docker run --rm -p 1-2:3-5 busybox true
docker run --rm -p 127.0.0.1::80 busybox true
docker run --rm -p 99999:80 busybox true
docker run --rm -p 80:80/foo busybox true
docker run --rm --dns foo busybox true
docker run --rm --dns 1.1.1.1 --dns-search x.test --dns-opt ndots:2 --network none busybox cat /etc/resolv.conf | grep -v '^#'
docker run --rm --mac-address foo busybox true
docker run --rm --mac-address 02:42:ac:11:00:99 busybox cat /sys/class/net/eth0/address
docker run --rm --hostname 'a b' busybox true
docker run --rm --domainname d.test --hostname h busybox hostname
docker run --rm --sysctl foo=bar busybox true
docker run --rm --sysctl net.core.somaxconn=77 busybox cat /proc/sys/net/core/somaxconn
docker run --rm --ulimit nofile=10:5 busybox true
docker run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n'
docker run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
docker run --rm --security-opt seccomp=/nope busybox true
docker run --rm --security-opt label=disable busybox true
docker run --rm --cap-drop ALL busybox grep CapEff /proc/self/status
docker run --rm --cap-add all --cap-drop NET_RAW busybox grep CapEff /proc/self/status
docker run --rm --privileged busybox sh -c 'test -e /dev/full && echo yes'
docker run --rm --group-add 99 --user 1:2 busybox id
docker run --rm --user 'app:extra' busybox id
docker run --rm --user 99999999999 busybox id
docker run --rm --workdir rel busybox pwd
docker run --rm --workdir /made/up busybox pwd
docker run --rm --entrypoint '' busybox echo x
docker run --rm --entrypoint 'sh -c' busybox true
docker run --rm --entrypoint sh busybox -c 'echo $0 $1' a b
docker run --rm --stop-timeout foo busybox true
docker run --rm --oom-score-adj 5000 busybox true
docker run --rm --blkio-weight 5 busybox true
docker run --rm --cpu-shares 1 --cpu-period 5 busybox true
docker run --rm --cpu-quota 500 busybox true
docker run --rm --memory 64m --memory-reservation 128m busybox true
docker run --rm --memory-swap 64m busybox true
docker run --rm --isolation hyperv busybox true
docker run --rm --annotation foo busybox true
docker run --rm --annotation a=b busybox true
docker run --rm --link up:alias busybox sh -c 'grep -c alias /etc/hosts; env | grep -c ALIAS'
docker run --rm --network host busybox sh -c 'test -e /sys/class/net/lo && echo ok'
docker run --rm --network host -p 80:80 busybox true
docker run --rm --network none --ip 1.2.3.4 busybox true
docker run --rm --network bridge --network-alias x busybox true
docker run --rm --pid host busybox sh -c 'test -e /proc/1 && echo ok'
docker run --rm --pid container:up busybox ps | grep -c sleep
docker run --rm --ipc container:up busybox true
docker run --rm --ipc container:nope busybox true
docker run --rm --uts foo busybox true
docker run --rm --tmpfs /x:size=1m,mode=700 busybox sh -c 'df -h /x | tail -1 | cut -c1-30; stat -c %a /x'
docker run --rm --read-only --tmpfs /x busybox sh -c 'touch /x/a && touch /b'
docker run --rm --shm-size 1m busybox df -h /dev/shm
docker run --rm -e A busybox env | grep -c '^A'
A=5 docker run --rm -e A busybox env | grep '^A'
docker run --rm -l a -l b=c --label-file /dev/null busybox true
docker run --rm --log-driver none busybox echo x
docker run --rm --log-opt max-size=foo busybox true
docker run -d --name $p-a --log-driver none busybox echo x; docker wait $p-a; docker logs $p-a; docker rm $p-a
docker run --rm --no-healthcheck --health-cmd x busybox true
docker run --rm --health-retries -1 busybox true
docker run --rm --health-interval foo busybox true
docker run --rm --restart on-failure:-1 busybox true
docker run --rm --restart on-failure:x busybox true
docker run --rm --rm=foo busybox true
docker run --rm --publish-all=false -t=false --interactive=0 busybox echo x
docker run --rm -- busybox echo x
DOCKER_API_VERSION=1.24 docker run --rm busybox echo x
docker run --rm busybox -- echo x
docker run --rm busybox --help
docker run --rm busybox sh -c 'kill -9 $$'; echo $?
docker run --rm busybox sh -c 'kill -TERM $$; sleep 1'; echo $?
docker run --rm --name $p-x busybox sh -c 'exit 255'; echo $?
docker run busybox@sha256:0123456789012345678901234567890123456789012345678901234567890123 true
docker run --rm $(docker images -q busybox | head -1) echo by id
docker run --rm sha256:$(docker images -q --no-trunc busybox | cut -d: -f2) echo by digest
docker create --name $p-a -it busybox sh; docker inspect -f '{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.Config.AttachStdin}}' $p-a; docker rm $p-a
docker create --name $p-a -p 80 -p 8080:81/udp -p 127.0.0.1:82:82 --expose 83 busybox; docker inspect -f '{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}}' $p-a; docker rm $p-a
docker create --name $p-a -v /a -v n:/b:ro -v /tmp:/c:rshared --mount type=tmpfs,dst=/d --tmpfs /e:size=1m busybox; docker inspect -f '{{json .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .HostConfig.Tmpfs}} {{json .Config.Volumes}}' $p-a; docker rm -v $p-a
docker create --name $p-a --cpus 1.5 -m 1g --memory-swap -1 --pids-limit 7 --ulimit core=1 --device /dev/null --gpus 2 busybox; docker inspect -f '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{json .HostConfig.Ulimits}} {{json .HostConfig.Devices}} {{json .HostConfig.DeviceRequests}}' $p-a; docker rm $p-a
docker create --name $p-a --health-cmd 'a b' --health-interval 5s --health-retries 2 --stop-signal INT --stop-timeout 3 busybox; docker inspect -f '{{json .Config.Healthcheck}} {{.Config.StopSignal}} {{.Config.StopTimeout}}' $p-a; docker rm $p-a
docker create --name $p-a --annotation a=b --cgroupns private --ipc none --init --security-opt seccomp=unconfined --group-add 5 --add-host h:1.1.1.1 --dns 8.8.8.8 busybox; docker inspect -f '{{json .HostConfig.Annotations}} {{.HostConfig.CgroupnsMode}} {{.HostConfig.IpcMode}} {{.HostConfig.Init}} {{.HostConfig.SecurityOpt}} {{.HostConfig.GroupAdd}} {{.HostConfig.ExtraHosts}} {{.HostConfig.DNS}}' $p-a; docker rm $p-a
docker create --name $p-a --blkio-weight 100 --cpu-shares 5 --cpuset-cpus 0 --oom-score-adj 5 --kernel-memory 9m --memory-swappiness 5 busybox; docker inspect -f '{{.HostConfig.BlkioWeight}} {{.HostConfig.CPUShares}} {{.HostConfig.CpusetCpus}} {{.HostConfig.OomScoreAdj}} {{.HostConfig.MemorySwappiness}}' $p-a; docker rm $p-a
`
  .trim()
  .split('\n')
