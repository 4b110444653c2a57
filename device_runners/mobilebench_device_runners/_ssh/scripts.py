"""What is run on a board besides Python: short scripts of the shell `sh`.

Each gets its words as $1, $2 ..., so that no path is ever read as part of a command.
"""

from __future__ import annotations

from mobilebench_device_runners._ssh.places import HEAD, WITH_CODE

_DAYS = 14
"""How long a model stays on a board after its last use, and a job that nobody came back for."""

IDENTITY = f"""{HEAD}
if [ ! -s "$root/id" ]; then
  od -An -N6 -tx1 /dev/urandom | tr -d ' ' > "$root/id.$$" && mv "$root/id.$$" "$root/id"
fi
cat "$root/id"
"""

MISSING = f"""{HEAD}
mkdir -p "$root/files" || exit 1
for digest in "$@"; do
  if [ -f "$root/files/$digest" ]; then touch "$root/files/$digest"; else echo "$digest"; fi
done
"""

SPACE = f"""{HEAD}
free() {{ df -Pk "$root" | tail -n 1 | {{ read -r a b c free rest; echo "$free"; }}; }}
if [ "$(free)" -lt "$1" ]; then
  find "$root/files" -type f -links 1 -mmin +5 -exec rm -f {{}} +
fi
free
"""
"""Files with one name are in no job; those of a few minutes ago may become part of one."""

COPY = f"""{HEAD}
part="$root/files/.part-$1-$$"
trap 'rm -f "$part"' EXIT
cat > "$part" || exit 1
echo "$1  $part" | sha256sum -c --status - || {{ echo "the copy is damaged" >&2; exit 1; }}
mv "$part" "$root/files/$1"
"""

LINK = f"""{HEAD}
folder="$root/jobs/$1"; shift
while [ $# -gt 1 ]; do
  mkdir -p "$(dirname "$folder/$2")" || exit 1
  ln -f "$root/files/$1" "$folder/$2" || cp "$root/files/$1" "$folder/$2" || exit 1
  shift 2
done
"""

SIZE = f"""{HEAD}
file="$root/jobs/$1/$2"
if [ -f "$file" ]; then wc -c < "$file"; fi
"""

JOURNAL = f"""{HEAD}
mkdir -p "$(dirname "$root/jobs/$1/$2")" && cat > "$root/jobs/$1/$2.part" &&
mv "$root/jobs/$1/$2.part" "$root/jobs/$1/$2"
"""

START = f"""{HEAD}{WITH_CODE}
cd "$root/jobs/$1" || exit 1
rm -f exit pid no-record.txt
nohup setsid sh -c '
  echo $$ > pid
  "$1" -m mobilebench_device_runners._board perform "$2" "$3" > log 2>&1
  echo $? > exit.part; mv exit.part exit
' mobilebench-job "$root/env/$3/venv/bin/python" "$root/jobs/$1" "$4" \\
  < /dev/null > /dev/null 2>&1 &
for try in 1 2 3 4 5 6 7 8 9 10; do
  [ -s pid ] && exit 0
  sleep 0.2 2>/dev/null || sleep 1
done
echo "the job did not start" >&2
exit 1
"""
"""The shell in between outlives a killed process and writes down how it ended.

Both are in a separate session, which a lost connection does not end."""

_OWN = f"""{HEAD}
folder="$root/jobs/$1"
own() {{ [ -n "$1" ] && tr '\\0' ' ' 2>/dev/null < "/proc/$1/cmdline" | grep -qF "$folder"; }}
pid=$(cat "$folder/pid" 2>/dev/null)
"""

ALIVE = f"""{_OWN}
[ ! -f "$folder/exit" ] && own "$pid"
"""

READ = f"""{HEAD}
file="$root/jobs/$1/$2"
[ -f "$file" ] || exit 44
tail -c "+$3" "$file"
"""

DEATH = f"""{HEAD}
cd "$root/jobs/$1" || exit 1
echo "exit=$(cat exit 2>/dev/null)"
echo "log=$(tail -n 1 log 2>/dev/null | cut -c 1-300)"
echo "oom=$(dmesg 2>/dev/null | grep -i 'out of memory' | tail -n 1 | cut -c 1-200)"
"""

BOOT = f"""{HEAD}
cat /proc/sys/kernel/random/boot_id
"""

STOP = f"""{_OWN}
if own "$pid"; then
  kill -s TERM -- "-$pid" 2>/dev/null
  for try in 1 2 3 4 5; do own "$pid" || exit 0; sleep 0.2 2>/dev/null || sleep 1; done
  kill -s KILL -- "-$pid" 2>/dev/null
fi
exit 0
"""

REMOVE = f"""{HEAD}
rm -rf "$root/jobs/$1"
find "$root/jobs" -mindepth 1 -maxdepth 1 -mtime +{_DAYS} -exec rm -rf {{}} +
find "$root/files" -type f -mtime +{_DAYS} -exec rm -f {{}} +
exit 0
"""

PREDICT = f"""{HEAD}{WITH_CODE}
cd "$root/jobs/$1" || exit 1
"$root/env/$3/venv/bin/python" -m mobilebench_device_runners._board \\
  predict "$4" "$5" "$6" "$7" predicted.npz
"""
