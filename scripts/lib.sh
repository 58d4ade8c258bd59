# shellcheck shell=bash
# What the scripts share: settings, packages, the build; processes and servers
# come from servers.sh. Sourced; it sets ROOT (the checkout), STATE (the state
# directory) and RUN_ENV (settings that scripts/run makes), and changes into
# ROOT.

set -euo pipefail
# A user's PATH lacks mariadbd's and nginx's place.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd -- "$ROOT"

# Packages as NAME, or NAME=PROGRAM where the program will do, from wherever.
# shellcheck disable=SC2034 # for the scripts that source this
BUILD_PACKAGES=(build-essential autoconf=autoreconf automake=automake
	pkg-config=pkg-config libfcgi-dev libmariadb-dev libssl-dev
	libjson-c-dev libsystemd-dev libcurl4-openssl-dev libseccomp-dev
	libmimalloc-dev check libsubunit-dev)
# shellcheck disable=SC2034
SERVER_PACKAGES=(nginx-light=nginx openssl=openssl ca-certificates)
# shellcheck disable=SC2034
DB_PACKAGES=(mariadb-server-core=mariadbd mariadb-client-core=mariadb)
# shellcheck disable=SC2034
NODE_PACKAGES=(nodejs=node npm=npm)

say() {
	printf '%s\n' "$*" || true
}

warn() {
	printf '%s: %s\n' "scripts/${0##*/}" "$*" >&2 || true
}

die() {
	warn "$@"
	exit 1
}

# try_again COMMAND...: up to three times, for what needs the network.
try_again() {
	local n

	for n in 5 15; do
		"$@" && return
		warn "failed; once more in $n s: $*"
		sleep "$n"
	done
	"$@"
}

### settings

# env_get FILE KEY: prints what the file says for KEY, or what is in the file
# that its KEY_FILE names; fails if it says neither. The last line counts.
env_get() {
	local line value='' suffix='' found=1
	local re="^[[:blank:]]*(export[[:blank:]]+)?$2(_FILE)?[[:blank:]]*=(.*)\$"

	[[ -r $1 ]] || return 1
	while IFS= read -r line || [[ -n $line ]]; do
		[[ ${line%$'\r'} =~ $re ]] || continue
		suffix=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]} found=0
	done <"$1"
	re=$'^[[:blank:]]*"([^"]*)"|^[[:blank:]]*\'([^\']*)\''
	if [[ $value =~ $re ]]; then
		value=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
	else
		value=${value%%[[:blank:]]#*}
		value=${value#"${value%%[![:blank:]]*}"}
		value=${value%"${value##*[![:blank:]]}"}
	fi
	[[ -z $suffix ]] || value=$(<"$value") || return 1
	printf '%s' "$value"
	return "$found"
}

# setting KEY [DEFAULT]: as the programs see it, from the environment, .env and
# the settings that scripts/run made. An empty value counts as not set.
setting() {
	local key=$1 path=$1_FILE file value=''

	if [[ -n ${!key+set} ]]; then
		value=${!key}
	elif [[ -n ${!path-} ]]; then
		value=$(<"${!path}")
	else
		for file in "${SETTINGS[@]}"; do
			if value=$(env_get "$file" "$key"); then
				break
			fi
		done
	fi
	printf '%s' "${value:-${2-}}"
}

# user_setting KEY [DEFAULT]: the same without what scripts/run made.
user_setting() {
	local SETTINGS=("$ROOT/.env")

	setting "$@"
}

# env_set FILE KEY VALUE: puts the line in the place of the last one of that
# key, or at the end; the other lines stay as they are.
env_set() {
	local file text new='' line at=-1 n=0

	file=$(readlink -f -- "$1")
	if [[ -e $file ]]; then
		mapfile -t text <"$file"
	else
		text=()
	fi
	for line in "${text[@]}"; do
		if [[ $line =~ ^[[:blank:]]*(export[[:blank:]]+)?$2[[:blank:]]*= ]]; then
			at=$n
		fi
		n=$((n + 1))
	done
	[[ $at -ge 0 ]] || at=$n
	text[at]="$2=$3"
	new=$(umask 077 && mktemp "$file.XXXXXX")
	printf '%s\n' "${text[@]}" >"$new"
	if [[ -e $file ]]; then
		chmod --reference="$file" "$new"
	fi
	mv -- "$new" "$file"
}

SETTINGS=("$ROOT/.env")
STATE=$(setting STRIPEHOOK_STATE_DIR var)
[[ $STATE == /* ]] || STATE=$ROOT/$STATE
RUN_ENV=$STATE/run.env
SETTINGS+=("$RUN_ENV")

### packages

need_root_or_sudo() {
	[[ $EUID -eq 0 ]] || command -v sudo >/dev/null ||
		die "cannot install packages: neither root nor sudo. As root:" \
			"apt-get install $*"
}

as_root() {
	if [[ $EUID -eq 0 ]]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Prints those of NAME[=PROGRAM]... that are not here.
missing_packages() {
	local spec name installed

	installed=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' \
		"${@%%=*}" 2>/dev/null || true) "
	for spec; do
		name=${spec%%=*}
		[[ $installed != *" $name=installed "* ]] || continue
		[[ $spec != *=* ]] || ! command -v "${spec#*=}" >/dev/null || continue
		printf '%s\n' "$name"
	done
}

# Elsewhere than on Debian the programs must be there already.
other_system() {
	local spec missing=()

	for spec in build-essential=cc build-essential=make "$@"; do
		[[ $spec == *=* ]] || continue
		command -v "${spec#*=}" >/dev/null || missing+=("${spec#*=}")
	done
	[[ ${#missing[@]} -gt 0 ]] || return 0
	die "this system has no apt-get, and these programs are missing:" \
		"${missing[*]}. Install them, with the libraries that" \
		"configure.ac names; or use a container:" \
		"podman build -f scripts/deploy/Containerfile -t stripehook . &&" \
		"podman run --rm -p 8000:8000 -p 8443:8443 stripehook"
}

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# made by stripehook while it installs packages'

# Keeps packages from starting services while they are installed; a policy
# that is there already stays. Fails if so.
forbid_services() {
	grep -qsF "$POLICY_MARK" "$POLICY" || as_root sh -c \
		"set -C; printf '#!/bin/sh\n%s\nexit 101\n' \"\$1\" >\"\$0\" &&
		chmod 755 \"\$0\"" "$POLICY" "$POLICY_MARK" 2>/dev/null
}

apt_install() (
	options=(-qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0
		-o Acquire::Retries=5)
	if forbid_services; then
		trap 'as_root rm -f "$POLICY"' EXIT
	fi
	as_root apt-get "${options[@]}" update &&
		as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get "${options[@]}" install -y \
			--no-install-recommends --no-remove "$@" || exit
	# The package enables it for the next start of the machine.
	if [[ " $* " == *" nginx-light "* && -d /run/systemd/system ]]; then
		as_root systemctl disable --quiet nginx || true
	fi
)

# install_packages NAME[=PROGRAM]...: installs what is missing, quietly.
install_packages() {
	local log=$STATE/install.log names

	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null
	then
		other_system "$@"
		return
	fi
	mapfile -t names < <(missing_packages "$@")
	[[ ${#names[@]} -gt 0 ]] || return 0
	need_root_or_sudo "${names[@]}"
	say "installing ${names[*]}"
	mkdir -p -- "$STATE"
	if ! try_again apt_install "${names[@]}" </dev/null >"$log" 2>&1; then
		tail -n 20 -- "$log" >&2
		die "installing failed (all of it: $log). By hand:" \
			"apt-get install ${names[*]}"
	fi
}

# install_modules DIR: as its package-lock.json says. Not 'npm ci': that wants
# the Stripe CLI of every other platform in the lock, too.
install_modules() (
	cd -- "$1" || exit
	! cmp -s package-lock.json node_modules/.made-from || exit 0
	try_again npm install --no-save --no-progress &&
		cp -- package-lock.json node_modules/.made-from
)

# need_modules DIR: the same, quietly, or the end.
need_modules() {
	local log=$STATE/npm.log

	interruptible install_modules "$1" >"$log" 2>&1 || {
		tail -n 20 -- "$log" >&2
		die "npm could not install what $1/package.json names; all of" \
			"it: $log"
	}
}

### build

# Two scripts must not make 'configure' at the same time: the caller holds the
# lock, descriptor 8.
make_configure() {
	[[ -x configure && -e Makefile.in && ! configure.ac -nt configure ]] ||
		autoreconf -i 8<&-
}

make_programs() (
	exec 8<"$ROOT/configure.ac"
	flock 8
	if [[ $(cat "$BUILD/.source" 2>/dev/null) != "$ROOT" ]]; then
		rm -rf -- "$BUILD"
	fi
	make_configure || exit
	mkdir -p -- "$BUILD" && cd -- "$BUILD" || exit
	if [[ ! -e Makefile ]]; then
		"$ROOT/configure" 8<&- && printf '%s\n' "$ROOT" >.source || exit
	fi
	make -s -j "$(nproc)" 8<&-
)

# build: makes the programs, in STATE/build, and sets BUILD to their place (the
# checkout itself where somebody has run its configure).
build() {
	local log=$STATE/build.log

	mkdir -p -- "$STATE"
	BUILD=$STATE/build
	if [[ -e $ROOT/config.status ]]; then
		BUILD=$ROOT
		make -s -C "$BUILD" -j "$(nproc)" >"$log" 2>&1 || build_failed
		return
	fi
	[[ -x $BUILD/stripehookd ]] || say "building (a minute)"
	interruptible make_programs >"$log" 2>&1 || build_failed
}

# make_variant NAME TARGET OPTION...: a build of its own with these options of
# configure, in STATE/build-NAME. .source is for scripts/run, which makes a
# build anew that is not of this checkout.
make_variant() (
	dir=$STATE/build-$1 target=$2
	shift 2
	exec 8<"$ROOT/configure.ac"
	flock 8
	make_configure || exit
	# What takes long is no matter for other builds.
	exec 8>>"$dir.lock"
	flock 8
	if [[ $(cat "$dir/.options" 2>/dev/null) != "$ROOT $*" ]]; then
		rm -rf -- "$dir"
		mkdir -p -- "$dir"
		(cd -- "$dir" &&
			"$ROOT/configure" "$@" >configure.out 2>&1 8<&-) || {
			tail -n 20 -- "$dir/configure.out"
			exit 1
		}
		printf '%s\n' "$ROOT" >"$dir/.source"
		printf '%s\n' "$ROOT $*" >"$dir/.options"
	fi
	make -s -C "$dir" -j "$(nproc)" "$target" 8<&-
)

build_failed() {
	tail -n 30 -- "$log" >&2
	die "the build failed; all of its output: $log"
}

# shellcheck source=scripts/servers.sh
source "$ROOT/scripts/servers.sh"
