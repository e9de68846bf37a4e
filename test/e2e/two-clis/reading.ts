/** Command lines that change nothing, about the objects of fixtures.ts. One per line; `docker` means either CLI. */
export const reading: readonly string[] = String.raw`
docker ps
docker ps -a
docker ps -aq
docker ps -a --no-trunc
docker ps -as
docker ps -n 1
docker ps -l -q
docker container ls -a --format raw
docker ps -a --format json
docker ps -a --format 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedAt}}\t{{.RunningFor}}\t{{.Ports}}\t{{.State}}\t{{.Status}}\t{{.Size}}\t{{.Names}}\t{{.Labels}}\t{{.Label "a"}}\t{{.Mounts}}\t{{.LocalVolumes}}\t{{.Networks}}\t{{.Platform}}'
docker ps -a --format '{{.Names}}: {{.Size}}'
docker ps -a --filter status=exited --format '{{.Names}}'
docker ps -a --filter status=bogus
docker ps -a --filter foo=bar
docker ps -a --filter name=^/up$ --format '{{.Names}}'
docker ps -a --filter label=a=b --format '{{.Names}}'
docker ps -a --filter ancestor=busybox --format '{{.Names}}'
docker ps -a --filter ancestor=other/app:2 --format '{{.Names}}'
docker ps -a --filter exited=3 --format '{{.Names}}'
docker ps -a --filter health=healthy --format '{{.Names}}'
docker ps -a --filter health=none --format '{{.Names}}'
docker ps -a --filter health=x --format '{{.Names}}'
docker ps -a --filter volume=data --format '{{.Names}}'
docker ps -a --filter network=none --format '{{.Names}}'
docker ps -a --filter publish=$port/tcp --format '{{.Names}}'
docker ps -a --filter publish=foo --format '{{.Names}}'
docker ps -a --filter expose=1-500/tcp --format '{{.Names}}'
docker ps -a --filter is-task=x
docker ps -a --filter before=up --format '{{.Names}}'
docker ps -a --filter since=up --format '{{.Names}}'
docker ps -a --filter since=nope
docker ps --filter
docker ps --filter name
docker ps --format '{{.Nope}}'
docker ps --format 'table {{.Nope}}'
docker ps -a --format '{{upper .Names}} {{lower .State}} {{title .State}} {{pad .Names 2 3}}| {{truncate .Image 3}} {{join (split .Names "o") "0"}}'
docker ps -a --format '{{json .}}'
docker ps -a --format 'table {{json .Names}}\t{{upper .Image}}'
docker ps -aq --no-trunc
docker ps -aq --format '{{.Names}}'
docker ps -aq --format raw
docker ps -a --format table -q
docker images
docker images -a
docker images --no-trunc
docker images --digests
docker images busybox:latest
docker images 'b*'
docker images 'other/*'
docker images 'other/app:*'
docker images BAD
docker images a b
docker images --filter dangling=true
docker images --filter dangling=x
docker images --filter label=a=b
docker images --filter before=changed:1
docker images --filter since=busybox
docker images --filter since=nope
docker images --filter reference=busybox
docker images --filter 'reference=*/app' --format '{{.Repository}}'
docker images --filter until=1h
docker images --filter until=2100-01-01
docker images --filter until=x
docker images --format json
docker images --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}} {{.CreatedSince}} {{.CreatedAt}} {{.Size}} {{.Containers}} {{.SharedSize}} {{.UniqueSize}} {{.VirtualSize}}'
docker images --format 'table {{.ID}}\t{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.CreatedSince}}\t{{.CreatedAt}}\t{{.Size}}'
docker images --format '{{.Nope}}'
docker images --tree --no-trunc
docker images --tree --format json
docker images --tree -q
docker images --tree --digests
docker image history busybox
docker history changed:1
docker history --no-trunc changed:1
docker history -H=false --format '{{.CreatedAt}} {{.Size}}' changed:1
docker history --format 'table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}' changed:1
docker history nope
docker history --platform linux/nope busybox
docker history --platform bad/x/y/z/a busybox
docker inspect up
docker inspect up done made held term
docker inspect changed:1
docker inspect up busybox data bridge
docker inspect up nope
docker inspect nope nope2 up
docker inspect --type container up
docker inspect --type image up
docker inspect --type volume data
docker inspect --type bogus up
docker inspect --type node x
docker inspect --type service x
docker inspect --type plugin x
docker inspect --type task x
docker inspect --type secret x
docker inspect --type config x
docker inspect --type ''  up
docker inspect --size --format '{{.SizeRw}} {{.SizeRootFs}}' done
docker inspect --size --format '{{.SizeRw}}' up busybox
docker inspect -s busybox --format '{{.Id}}'
docker inspect --type image -s busybox
docker inspect --type container --size done --format '{{.SizeRw}}'
docker inspect -f json up done
docker inspect -f '{{json .}}' up
docker inspect -f '{{.Nope}}' up
docker inspect -f '{{.State.Nope}}' up
docker inspect -f '{{.Name}}' up nope done
docker inspect -f '{{.Name}}' nope
docker inspect -f '{{println .Name}}' up
docker inspect -f '' up
docker container inspect nope
docker container inspect up nope -f '{{.Name}}'
docker container inspect -s done -f '{{.SizeRw}}'
docker container inspect busybox
docker image inspect nope
docker image inspect up
docker image inspect busybox changed:1 -f '{{.RepoTags}} {{.Config.Labels}} {{.Config.ExposedPorts}}'
docker image inspect --platform linux/amd64 busybox -f '{{.Os}}'
docker image inspect --platform linux/s390x busybox
docker volume inspect data
docker volume inspect nope
docker network inspect bridge host none
docker network inspect nope
docker network inspect -v bridge
docker volume ls
docker volume ls --filter label=tier=db
docker volume ls --filter foo=x
docker volume ls --filter dangling=true
docker volume ls --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}} {{.Labels}} {{.Label "tier"}} {{.Size}} {{.Links}} {{.Availability}} {{.Group}} {{.Status}}'
docker network ls
docker network ls --filter driver=bridge
docker network ls --filter type=custom
docker network ls --filter type=x
docker network ls --filter foo=x
docker network ls --format '{{.ID}} {{.Name}} {{.Driver}} {{.Scope}} {{.IPv4}} {{.IPv6}} {{.Internal}} {{.Labels}} {{.CreatedAt}}'
docker top up
docker top up -o pid,args
docker top up -eo pid
docker top up aux
docker top done
docker top held
docker top up -bogus
docker port up
docker port up 80/tcp
docker port up 53/udp
docker port up 53
docker port up foo
docker port up 80/foo
docker port done
docker port nope
docker port made 80
docker logs up
docker logs done
docker logs -t done
docker logs --tail 1 done
docker logs --tail all done
docker logs --tail x done
docker logs --tail -5 done
docker logs --since 1h done
docker logs --since 2100-01-01 done
docker logs --until 1h done
docker logs --since x done
docker logs --until 10m --since 5m done
docker logs --details done
docker logs -f done
docker logs -f --tail 1 done
docker logs nope
docker logs made
docker logs term
docker diff done
docker diff up
docker diff made
docker version --format '{{.Server.Version}} {{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}} {{.Server.Arch}}'
docker version -f '{{json .Server}}'
docker version -f '{{.Server.Platform.Name}} {{range .Server.Components}}{{.Name}}={{.Version}} {{end}}'
docker version -f '{{.Nope}}'
docker version -f '{{.Server.Nope}}'
docker info --format '{{.ServerVersion}} {{.Driver}} {{.NCPU}}'
docker info -f '{{.ClientInfo.Context}}'
docker info -f '{{.Nope}}'
docker info -f '{{range .SecurityOptions}}{{.}} {{end}}'
docker info -f '{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}}'
docker system df
docker system df -v
docker system df --format json
docker system df --format '{{.Type}}: {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}'
docker system df --format 'table {{.Type}}\t{{.Size}}'
docker system df -v --format '{{json .}}'
docker system df -v --format '{{range .Images}}{{.Repository}} {{end}}'
docker system df -v --format table
docker system df -v --format raw
docker events --since 1h --until 0s --filter type=volume
docker events --since 1h --until $now --filter type=container --filter container=up
docker events --since 1h --until $now --filter event=die --format '{{.Actor.Attributes.exitCode}} {{.Status}} {{.ID}} {{.From}} {{.Type}} {{.Action}}'
docker events --since 1h --until $now --filter event=die --format json
docker events --since 1h --until $now --filter event=die --format '{{json .}}'
docker events --since 1h --until $now --filter event=die --format '{{.}}'
docker events --since 1h --until $now --filter event=die --format '{{.Nope}}'
docker events --since 1h --until $now --filter label=a=b --format '{{.Action}}'
docker events --since 1h --until $now --filter image=busybox --format '{{.Action}}'
docker events --since x
docker events --until x
docker events --since 1h --until $now --filter foo=bar
docker events --format '{{.ID'
docker system events --since 1h --until $now --filter type=image --format '{{.Action}} {{.Actor.Attributes.name}}'
docker stats --no-stream --format '{{.Name}} {{.ID}} {{.Container}}' up
docker stats --no-stream --format '{{.Name}}' up nope
docker stats --no-stream nope
docker stats --no-stream done
docker stats --no-stream --format '{{.Nope}}' up
docker stats --no-stream -a --format '{{.Name}}'
docker stats --no-stream --no-trunc --format 'table {{.Name}}\t{{.PIDs}}'
docker stats --no-stream --format json done
docker stats --no-stream --format raw done
docker port up 80-90
docker port up ''
docker port up 99999999
docker port up /tcp
docker port up 80/
docker port up 53-54/udp
docker image inspect --platform 'bad x' busybox
docker info | sed 1,2d | grep -v Runtimes:
docker system info | sed 1,2d | grep -v Runtimes:
docker info -f '{{.Plugins.Volume}} {{.Swarm.LocalNodeState}} {{.IndexServerAddress}}'
docker version | sed '1,/^Server/d;/version:.*v2/d'
docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' up
docker inspect --format '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}' up
docker inspect --format '{{.LogPath}}' up
docker inspect --format '{{.Config.Image}}' up
docker inspect --format '{{range $p, $conf := .NetworkSettings.Ports}} {{$p}} -> {{(index $conf 0).HostPort}} {{end}}' up
docker inspect --format '{{range $p, $conf := .NetworkSettings.Ports}}{{if $conf}} {{$p}} -> {{(index $conf 0).HostPort}} {{end}}{{end}}' up
docker inspect --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' up
docker inspect --format '{{(index .NetworkSettings.Ports "81/tcp")}}' up
docker inspect --format '{{(index (index .NetworkSettings.Ports "81/tcp") 0).HostPort}}' up
docker inspect --format '{{json .Mounts}}' up
docker inspect --format '{{json .HostConfig.RestartPolicy}} {{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}' up
docker inspect --format '{{range .Mounts}}{{.Type}} {{.Name}} {{.Source}}:{{.Destination}} {{.RW}} {{println}}{{end}}' up
docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' up
docker inspect --format '{{join .Config.Cmd ", "}} | {{join .Args " "}}' up
docker inspect --format '{{index .Config.Labels "com.example.tier"}} {{index .Config.Labels "none"}}|' up
docker inspect --format '{{with .State}}{{.Status}} {{.Health.Status}} {{.ExitCode}} {{.OOMKilled}}{{end}}' up
docker inspect --format '{{with .State.Health}}{{.Status}}{{else}}none{{end}}' done
docker inspect --format '{{if .State.Running}}yes{{else if eq .State.ExitCode 3}}three{{end}}' done
docker inspect --format '{{printf "%-10s|%5d|%v" .Name .HostConfig.Memory .HostConfig.Binds}}' up
docker inspect --format '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.PidsLimit}} {{.HostConfig.ShmSize}}' up
docker inspect --format '{{slice .Id 0 12}} {{len .Id}} {{upper .Driver}}' up | cut -d' ' -f2-
docker inspect --format '{{.HostConfig.Mounts}} {{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Interval}}' up
docker inspect --format '{{eq .State.ExitCode 3}} {{gt .HostConfig.Memory 5}} {{and .State.Running (not .State.Paused)}}' up
docker inspect --format '{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{$m.Destination}}{{end}}' up
docker inspect --format '{{.NetworkSettings.Networks.bridge.Gateway}}' up
docker inspect --format '{{$n := .Name}}{{range $k, $v := .NetworkSettings.Networks}}{{$n}}@{{$k}} {{end}}' up
docker inspect --format '{{.GraphDriver.Name}} {{.Platform}} {{.RestartCount}} {{.AppArmorProfile}}|' up
docker inspect --format '{{.State.Pid.Foo}}' up
docker inspect --format '{{.Config.Env.Foo}}' up
docker inspect --format '{{index .Config.Env 99}}' up
docker inspect --format '{{range .Config.Labels}}{{.}} {{end}}' up
docker inspect --format '{{.RepoTags}} {{.Os}}/{{.Architecture}} {{.Config.Cmd}} {{len .RootFS.Layers}}' busybox
docker inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}{{.RootFS.Type}}' busybox
docker inspect --format '{{.Config.Entrypoint}} {{.Config.WorkingDir}}|{{.Config.User}}|{{.Config.Volumes}}' busybox
docker inspect --format '{{.Name}} {{.Mountpoint}} {{.Labels}}' data
docker inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}} {{len .Containers}}' bridge
docker inspect --format '{{range $id, $c := .Containers}}{{$c.Name}} {{end}}' bridge | tr ' ' '\n' | sort
docker ps --format '{{.ID}}: {{.Command}}' --no-trunc
docker ps -a --format 'table {{.Names}}\t{{.Label "com.example.tier"}}'
docker ps --filter status=running --format '{{.Names}}' | sort | tr '\n' ,
docker images --format '{{.Repository}}:{{.Tag}}' | sort
docker images --filter 'label=a=b' -q | wc -l
docker ps -q | xargs docker inspect --format '{{.Name}}'
docker ps -aq | xargs -n1 docker port
docker inspect -f '{{.State.Running}}' up done nope 2>/dev/null; echo $?
docker inspect --format '{{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.StartInterval}} {{.Config.Healthcheck.Timeout}} {{json .Config.Healthcheck}} {{printf "%d %v %s" .Config.Healthcheck.Interval .Config.Healthcheck.Interval .Config.Healthcheck.StartInterval}} {{gt .Config.Healthcheck.Interval 5}}' up
docker inspect -f '{{.Id}} {{json .State}}' done
docker inspect -f '{{.ID}} {{json .State}} {{json .Config}}' done
docker inspect -f '{{json .HostConfig}}' up
docker inspect -f '{{json .NetworkSettings}}' up
docker network inspect -f '{{json .}}' bridge
docker --config /nope ps -q
docker -D ps -q
docker images --format '{{json .}}' | sort
docker info -f '{{.CpuCfsPeriod}}'
docker version -f '{{.Client.ApiVersion}}'
docker version -f '{{.Server.ApiVersion}}'
docker inspect -f '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostIp}}' up
docker inspect -f '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostIP}}' up
docker info -f '{{.HTTPProxy}} {{.HTTPSProxy}} {{.NoProxy}} {{.CPUShares}} {{.CPUCfsPeriod}}'
docker info -f '{{.HttpProxy}}'
docker inspect -f '{{.HostConfig.CPUShares}} {{.HostConfig.NanoCPUs}} {{.HostConfig.DNS}} {{.HostConfig.UTSMode}} {{.HostConfig.IpcMode}} {{.HostConfig.IOMaximumIOps}} {{.HostConfig.CpusetMems}}' up
docker inspect -f '{{.HostConfig.CpuShares}} {{.HostConfig.Memory}}' up
docker network inspect -f '{{.ID}} {{.Created}} {{.EnableIPv4}} {{.Scope}}' bridge
docker image inspect -f '{{.ID}} {{.Size}}' busybox
docker version -f '{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Version}}'
`
  .trim()
  .split('\n')
