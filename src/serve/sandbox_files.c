/* What of the file system and the network is left to a worker: Landlock. */
#include "serve/sandbox_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

/* By this name libmariadb means the unix socket. */
#define LOCAL "localhost"

/* What glibc looks at to find a host's address: "files" and "dns". */
static const char *const resolver_files[] = {
	"/etc/host.conf", "/etc/hosts", "/etc/resolv.conf", "/etc/gai.conf"
};

enum { DNS_PORT = 53, RULE_NET_PORT = 2 };

/* The kernel's structs, which the system's header may know older forms of. */
struct ruleset {
	uint64_t fs, net, scoped;
};
struct port_rule {
	uint64_t allowed, port;
};

/* Bits of struct ruleset, by the version of Landlock that they came with. */
static const struct {
	int abi;
	struct ruleset handles;
} versions[] = {
	{ 1, { .fs = 0x1fff } },	/* execute, write, read, make, remove */
	{ 2, { .fs = 0x2000 } },	/* rename into another directory */
	{ 3, { .fs = 0x4000 } },	/* truncate */
	{ 4, { .net = 0x3 } },		/* bind and connect, TCP */
	{ 5, { .fs = 0x8000 } },	/* ioctl on devices */
	{ 6, { .scoped = 0x3 } },	/* abstract unix sockets, signals */
};
static const uint64_t net_connect = 0x2;

static bool
is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1;
}

void
sandbox_needs(struct sandbox_needs *needs, const struct config *cfg)
{
	*needs = (struct sandbox_needs){ .port = cfg->db_port };
	for (size_t i = 0; i < cfg->db_host.n; i++) {
		bool local = strcmp(cfg->db_host.s[i], LOCAL) == 0;

		needs->tcp |= !local;
		needs->names |= !local && !is_address(cfg->db_host.s[i]);
	}
	for (size_t i = 0; needs->names &&
	    i < sizeof(resolver_files) / sizeof(resolver_files[0]); i++)
		needs->files[needs->nfiles++] = resolver_files[i];
	if (cfg->db_host.n > 0 && cfg->db_tls_ca != NULL)
		needs->files[needs->nfiles++] = cfg->db_tls_ca;
}

int
sandbox_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* A file that isn't there, or isn't for us, can't be read in any case. */
static int
allow_file(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	int rc;

	if (rule.parent_fd < 0)
		return 0;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return rc;
}

static int
allow_port(int ruleset, long port)
{
	const struct port_rule rule = { net_connect, (uint64_t)port };

	return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT,
	    &rule, 0);
}

static int
allow(int ruleset, const struct sandbox_needs *needs, bool ports)
{
	for (size_t i = 0; i < needs->nfiles; i++) {
		if (allow_file(ruleset, needs->files[i]) != 0)
			return -1;
	}
	if (ports && needs->tcp && allow_port(ruleset, needs->port) != 0)
		return -1;
	/* An answer that is too long comes again by TCP. */
	if (ports && needs->names && allow_port(ruleset, DNS_PORT) != 0)
		return -1;
	return 0;
}

int
sandbox_landlock_enter(const struct sandbox_needs *needs, int *abi,
    struct err *err)
{
	struct ruleset all = { 0, 0, 0 };
	int fd, rc = -1;

	if ((*abi = sandbox_landlock()) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) &&
	    versions[i].abi <= *abi; i++) {
		all.fs |= versions[i].handles.fs;
		all.net |= versions[i].handles.net;
		all.scoped |= versions[i].handles.scoped;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (fd >= 0 && allow(fd, needs, all.net != 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, fd, 0) == 0)
		rc = 0;
	else
		err_add(err, "sandbox: Landlock: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

void
sandbox_stamp(struct sandbox_stamp *stamp, const struct config *cfg)
{
	struct sandbox_needs needs;
	struct stat st;

	memset(stamp, 0, sizeof(*stamp));
	sandbox_needs(&needs, cfg);
	for (size_t i = 0; i < needs.nfiles; i++) {
		if (stat(needs.files[i], &st) != 0)
			continue;
		stamp->file[i].dev = st.st_dev;
		stamp->file[i].ino = st.st_ino;
	}
}

const char *
sandbox_replaced(const struct sandbox_stamp *stamp, const struct config *cfg)
{
	struct sandbox_needs needs;
	struct sandbox_stamp now;

	if (!SANDBOX_BUILT || !cfg->sandbox)
		return NULL;
	sandbox_needs(&needs, cfg);
	sandbox_stamp(&now, cfg);
	for (size_t i = 0; i < needs.nfiles; i++) {
		if (now.file[i].dev != stamp->file[i].dev ||
		    now.file[i].ino != stamp->file[i].ino)
			return needs.files[i];
	}
	return NULL;
}
