# shellcheck shell=bash
# Processes that a script starts and stops again, and the private MariaDB and
# nginx of development and tests. Sourced by lib.sh.

### processes

alive() {
	[[ -n ${1-} ]] && kill -0 "$1" 2>/dev/null
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails after that.
wait_for() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[[ $SECONDS -lt $end ]] || return 1
		sleep 0.1
	done
}

# Jobs run so that a signal to this script is heard meanwhile: as process
# groups, for stop_jobs to end. begin_job COMMAND...: sets JOB.
declare -A BEGUN=()
begin_job() {
	set -m
	"$@" </dev/null &
	JOB=$!
	set +m
	BEGUN[$JOB]=
}

# end_job JOB: waits for it; its exit status.
end_job() {
	local status=0

	wait "$1" || status=$?
	unset "BEGUN[$1]"
	return "$status"
}

interruptible() {
	begin_job "$@"
	end_job "$JOB"
}

stop_jobs() {
	local job

	for job in "${!BEGUN[@]}"; do
		kill -- "-$job" 2>/dev/null || true
	done
}

# start NAME LOG COMMAND...: in the background, in a session of its own (Ctrl-C
# must not reach it), and stopped by the kernel if this script is killed. Sets
# PIDS[NAME] and writes STATE/NAME.pid.
declare -A PIDS=()
start() {
	local name=$1 log=$2

	shift 2
	# Descriptors 8 and 9 are locks of this script alone.
	setsid setpriv --pdeathsig TERM env --default-signal "$@" \
		</dev/null >>"$log" 2>&1 8>&- 9>&- &
	PIDS[$name]=$!
	printf '%s\n' "$!" >"$STATE/$name.pid.new"
	mv -- "$STATE/$name.pid.new" "$STATE/$name.pid"
}

# Prints the processes of a session that have this program's name.
session_members() {
	local stat line

	for stat in /proc/[0-9]*/stat; do
		line=
		# It ends without a NUL; it may also be gone by now.
		{ IFS= read -r -d '' line <"$stat"; } 2>/dev/null ||
			[[ -n $line ]] || continue
		if [[ $line == *"($2) "[!Z]' '* &&
			${line##*) } =~ ^.\ [0-9]+\ [0-9]+\ $1\  ]]; then
			stat=${stat#/proc/}
			printf '%s\n' "${stat%/stat}"
		fi
	done
}

session_empty() {
	[[ -z $(session_members "$@") ]]
}

# stop_pid PID NAME SIGNAL SECONDS: with all of its session, whose members are
# told themselves if their leader is gone; then by force.
stop_pid() {
	local pid=$1 name=$2 told

	told=$(session_members "$pid" "$name")
	! alive "$pid" || told=$pid
	signal_all "$3" "$told"
	if ! wait_for "$4" session_empty "$pid" "$name"; then
		warn "$name did not stop within $4 s; killed"
		signal_all KILL "$(session_members "$pid" "$name")"
	fi
}

# signal_all SIGNAL PIDS
signal_all() {
	local pid

	for pid in $2; do
		kill -s "$1" "$pid" 2>/dev/null || true
	done
}

# stop NAME SIGNAL SECONDS: what start has started.
stop() {
	[[ -n ${PIDS[$1]-} ]] || return 0
	stop_pid "${PIDS[$1]}" "$@"
	wait "${PIDS[$1]}" 2>/dev/null || true
	unset "PIDS[$1]"
	rm -f -- "$STATE/$1.pid"
}

# running NAME: prints the process that STATE/NAME.pid names, if it is that.
running() {
	local pid

	pid=$(cat "$STATE/$1.pid" 2>/dev/null) || return 1
	[[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] || return 1
	printf '%s\n' "$pid"
}

### network

# port_busy PORT: does somebody listen on it?
port_busy() {
	local hex

	hex=$(printf ':%04X' "$1")
	grep -qsE "^ *[0-9]+: [0-9A-F]+$hex [0-9A-F:]+ 0A " \
		/proc/net/tcp /proc/net/tcp6
}

# free_port: prints one on which nobody listens.
free_port() {
	local port

	while port=$((RANDOM % 12000 + 20000)) && port_busy "$port"; do
		:
	done
	printf '%s\n' "$port"
}

# http_get PORT PATH: prints the answer, its head too.
http_get() {
	(
		exec 3<>"/dev/tcp/127.0.0.1/$1"
		printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
		cat <&3
	) 2>/dev/null
}

# http_ok PORT PATH: is the answer 200?
http_ok() {
	[[ $(http_get "$1" "$2") == HTTP/1.?' 200 '* ]]
}

### MariaDB

# db_create DATADIR: makes an empty database there, unless there is one. Its
# root has no password: what keeps others out are the rights on the directory
# of its socket. --force: it wants no name of this machine. DATADIR.tmp is for
# temporary tables, since a server that starts removes those of others that
# share the place.
db_create() {
	local new=$1.new options=(--no-defaults --skip-test-db --skip-name-resolve
		--auth-root-authentication-method=normal --force)

	[[ ! -d $1/mysql ]] || return 0
	[[ $EUID -ne 0 ]] || options+=(--user=root)
	rm -rf -- "$new"
	(umask 077 && mkdir -p -- "$new" "$1.tmp") &&
		TMPDIR=$1.tmp mariadb-install-db "${options[@]}" --datadir="$new" &&
		mv -T -- "$new" "$1"
}

# start_db DATADIR SOCKET [OPTION]...: durable, no TCP port, no binary log.
start_db() {
	local datadir=$1 socket=$2

	shift 2
	mkdir -p -- "$datadir.tmp"
	[[ $EUID -ne 0 ]] || set -- --user=root "$@"
	start mariadbd "$STATE/mariadbd.log" mariadbd --no-defaults \
		--datadir="$datadir" --socket="$socket" --tmpdir="$datadir.tmp" \
		--pid-file="$datadir/mariadbd.pid" --skip-networking \
		--skip-log-bin --skip-name-resolve --performance-schema=OFF \
		--character-set-server=utf8mb4 "$@"
}

# db_answers SOCKET
db_answers() {
	mariadb --no-defaults --user=root --socket="$1" -e 'DO 1' \
		>/dev/null 2>&1
}

### nginx

# make_certificate DIR: DIR/localhost.pem and .key, new if nearly expired.
make_certificate() {
	local pem=$1/localhost.pem

	openssl x509 -checkend 172800 -noout -in "$pem" >/dev/null 2>&1 ||
		(umask 077 && openssl req -x509 -nodes -days 397 \
			-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
			-subj /CN=localhost -addext \
			subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1 \
			-keyout "$1/localhost.key" -out "$pem" 2>/dev/null)
}

# For 20,000 parked status requests: each takes two files of an nginx worker.
FILES_WANTED=40960
PARKED_WANTED=10000

# raise_file_limit: of the servers that start after it. Root may go beyond the
# hard limit, where the system lets it.
raise_file_limit() {
	local soft hard parked

	soft=$(ulimit -Sn) hard=$(ulimit -Hn)
	[[ $soft != unlimited && $soft -lt $FILES_WANTED ]] || return 0
	if [[ $hard == unlimited || $hard -ge $FILES_WANTED ]]; then
		ulimit -Sn "$FILES_WANTED"
	elif ! ulimit -n "$FILES_WANTED" 2>/dev/null; then
		ulimit -Sn "$hard"
		parked=$(((hard - 100) * $(nproc) / 2))
		[[ $parked -ge $PARKED_WANTED ]] ||
			warn "a process may open $hard files here (ulimit -Hn):" \
				"enough for some $parked status requests that wait," \
				"not for $PARKED_WANTED; $FILES_WANTED would do"
	fi
}

# make_web DIR HTTP_PORT HTTPS_PORT INGEST_SOCKET STATUS_SOCKET DEMO_SOCKET
# [CTL_OPTION...]: the configuration of the development server, DIR/nginx.conf;
# DEMO_SOCKET may be empty; origins by the settings that stripehookctl reads.
make_web() {
	local text user='' listen6='' demo='return 404;' files

	files=$(ulimit -Sn)
	[[ $files != unlimited && $files -lt $FILES_WANTED ]] ||
		files=$FILES_WANTED
	mkdir -p -- "$1/tmp"
	"$BUILD/stripehookctl" "${@:7}" settings --nginx-origins \
		>"$1/origins.conf"
	make_certificate "$1"
	ln -sfn -- "$ROOT/nginx/snippets" "$1/snippets"
	ln -sfn -- "$ROOT/nginx/html" "$1/html"
	# Its workers must be able to read what root alone may.
	[[ $EUID -ne 0 ]] || user="user root;"
	if [[ -s /proc/net/if_inet6 ]]; then
		listen6="listen [::]:$2 default_server backlog=4096 reuseport;
		listen [::]:$3 ssl http2 default_server backlog=4096 reuseport;"
	fi
	[[ -z ${6-} ]] || demo="include snippets/stripehook-fastcgi.conf;
			fastcgi_pass \"unix:$6\";"
	text=$(<"$ROOT/nginx/dev.conf.in")
	text=${text//@DIR@/"$1"}
	text=${text//@USER@/"$user"}
	text=${text//@FILES@/$files}
	text=${text//@CONNECTIONS@/$((files - 100))}
	text=${text//@HTTP_PORT@/"$2"}
	text=${text//@HTTPS_PORT@/"$3"}
	text=${text//@LISTEN6@/"$listen6"}
	text=${text//@DEMO@/"$demo"}
	text=${text//@INGEST_SOCKET@/"$4"}
	text=${text//@STATUS_SOCKET@/"$5"}
	printf '%s\n' "$text" >"$1/nginx.conf"
}

# start_web DIR
start_web() {
	start nginx "$1/error.log" nginx -e "$1/error.log" -p "$1" \
		-c "$1/nginx.conf"
}
