/**
 * Waits for the container and writes down how it ended: the kubelet may be gone by then, and only a parent learns an exit
 * code. SIGTERM goes to the whole process group; the trap keeps this process alive through it (a caught signal, unlike an
 * ignored one, is back at its default in the program that is started). Its own stderr is put aside meanwhile: a shell says
 * "Killed" there, and that is not the container's log.
 *
 * Arguments: the container's folder, then the command.
 */
export const shimScript = `
folder=$1
shift
trap : TERM INT HUP
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
code=$?
exec 2>&3 3>&-
echo "$code" > "$folder/exit.tmp"
mv "$folder/exit.tmp" "$folder/exit"
`;

/**
 * Process 1 of the container's mount and process namespaces: builds the root file system, leaves the old one, runs the
 * command. Volumes are bound after the change of root, so that no link inside the new root can lead a bind mount outside;
 * the old root is let go before the command starts, so that the container holds no mount but its own.
 *
 * A signal ends `wait` with a status of its own, so the command's is asked for once more; 127 says that it was told before.
 *
 * What it shows of this machine is made read-only mount by mount, because a remount reaches one mount alone.
 *
 * Arguments: new root, working folder, then "source target ro|rw" for each volume, "--", and the command.
 */
export const initScript = `
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1
folder=$2
shift 2

mount -t tmpfs -o mode=0755 tmpfs "$root"
for name in bin sbin lib lib32 lib64 libx32 usr etc; do
  if [ -L "/$name" ]; then
    cp -P "/$name" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir "$root/$name"
    mount --rbind "/$name" "$root/$name"
    findmnt --submounts --list --noheadings --output TARGET --mountpoint "$root/$name" | while IFS= read -r point; do
      mount -o remount,bind,ro "$point"
    done
  fi
done
mkdir "$root/proc" "$root/dev" "$root/dev/shm" "$root/tmp" "$root/run" "$root/var" "$root/var/tmp" "$root/root" "$root/.old"
chmod 1777 "$root/tmp" "$root/var/tmp" "$root/dev/shm"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
for name in null zero full random urandom tty; do
  : > "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

cd "$root"
pivot_root . .old
cd /
while [ "$1" != -- ]; do
  source=$1
  target=$2
  mode=$3
  shift 3
  if [ -d "/.old$source" ]; then
    mkdir -p "$target"
  else
    mkdir -p "$(dirname "$target")"
    [ -e "$target" ] || : > "$target"
  fi
  mount --rbind "/.old$source" "$target"
  if [ "$mode" = ro ]; then
    mount -o remount,bind,ro "$target"
  fi
done
shift
umount -l /.old
rmdir /.old
mount --make-rprivate /

cd "$folder"
trap 'signalled=1' TERM INT
set +e
"$@" &
child=$!
signalled=0
wait "$child"
code=$?
while [ "$signalled" = 1 ]; do
  signalled=0
  wait "$child"
  again=$?
  [ "$again" = 127 ] || code=$again
done
exit "$code"
`;
