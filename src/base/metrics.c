/* The scoreboard: mapping, counting, summing. */
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { LAYOUT_VERSION = 5 };

struct board {
	char magic[8];
	uint32_t version;
	uint32_t size;		/* of the whole, guards against another build */
	struct metrics_master master;
	struct metrics_slot slots[METRICS_SLOTS];
};

static const char board_magic[8] = "shboard";
static struct metrics_slot private_slot;
static struct board *board;
struct metrics_slot *metrics_own = &private_slot;

const char *const pool_names[POOL__MAX] = { "none", "ingest", "status" };
const char *const stage_names[STAGE__MAX] = {
	"none", "starting", "waiting", "reading", "writing", "answering",
	"draining"
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared counters need no lock");

/*
 * Upper bounds of the buckets. Times run from 250 microseconds, doubling, to
 * 4 s; batches from 1, doubling, to 16,384.
 */
uint64_t
metrics_bound(enum histogram h, unsigned bucket)
{
	return (h == HIST_BATCH ? UINT64_C(1) : UINT64_C(250)) << bucket;
}

static int
map(int fd, int prot, const char *path, struct err *err)
{
	void *p = mmap(NULL, sizeof(struct board), prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		err_add(err, "scoreboard %s: mmap: %s", path, strerror(errno));
		return -1;
	}
	board = p;
	return 0;
}

int
metrics_create(const char *path, struct err *err)
{
	int fd = -1, rc = -1;

	/* A new file: an old one may still be mapped by draining workers. */
	if ((unlink(path) != 0 && errno != ENOENT) ||
	    (fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0640)) < 0 || ftruncate(fd, sizeof(struct board)) != 0) {
		err_add(err, "scoreboard %s: %s", path, strerror(errno));
		goto out;
	}
	if (map(fd, PROT_READ | PROT_WRITE, path, err) != 0)
		goto out;
	memcpy(board->magic, board_magic, sizeof(board_magic));
	board->version = LAYOUT_VERSION;
	board->size = sizeof(struct board);
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

int
metrics_open(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	struct board *before = board;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err_add(err, "scoreboard %s: %s", path, strerror(errno));
		goto out;
	}
	if ((size_t)st.st_size != sizeof(struct board)) {
		err_add(err, "scoreboard %s: written by another version",
		    path);
		goto out;
	}
	if (map(fd, PROT_READ, path, err) != 0)
		goto out;
	if (memcmp(board->magic, board_magic, sizeof(board_magic)) != 0 ||
	    board->version != LAYOUT_VERSION ||
	    board->size != sizeof(struct board)) {
		err_add(err, "scoreboard %s: written by another version",
		    path);
		munmap(board, sizeof(*board));
		board = before;
		goto out;
	}
	if (before != NULL)
		munmap(before, sizeof(*before));
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

struct metrics_slot *
metrics_slot(unsigned i)
{
	return &board->slots[i];
}

struct metrics_master *
metrics_master(void)
{
	return &board->master;
}

void
metrics_observe(enum histogram h, uint64_t value)
{
	struct metrics_hist *hist = &metrics_own->hist[h];
	unsigned i = 0;

	while (i < HIST_BUCKETS - 1 && value > metrics_bound(h, i))
		i++;
	atomic_fetch_add_explicit(&hist->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&hist->sum, value, memory_order_relaxed);
	atomic_fetch_add_explicit(&hist->count, 1, memory_order_relaxed);
}

/* A slot's worker alone writes: the first free place is its own to take. */
void
metrics_secret_matched(uint64_t digest, int64_t now)
{
	for (unsigned i = 0; i < METRICS_SECRETS; i++) {
		struct metrics_secret *s = &metrics_own->secret[i];

		if (s->digest != digest && s->digest != 0)
			continue;
		s->last = now;
		s->digest = digest;
		return;
	}
}

int64_t
metrics_secret_last(uint64_t digest)
{
	int64_t last = 0;

	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		for (unsigned k = 0; k < METRICS_SECRETS; k++) {
			const struct metrics_secret *s =
			    &board->slots[i].secret[k];

			if (s->digest == digest && s->last > last)
				last = s->last;
		}
	return last;
}

enum metric_type { COUNTER, GAUGE, MAX };

static const struct {
	enum metric_type type;
	const char *name, *help;
} metric_table[METRIC__MAX] = {
#define METRIC(name, type, exported, help) { type, exported, help },
#include "base/metrics.tbl"
#undef METRIC
};

void
metrics_clear_gauges(struct metrics_slot *slot)
{
	for (unsigned m = 0; m < METRIC__MAX; m++)
		if (metric_table[m].type == GAUGE)
			slot->metric[m] = 0;
	for (unsigned t = 0; t < METRICS_THREADS; t++) {
		slot->stage[t] = STAGE_NONE;
		slot->beat_ms[t] = 0;
	}
	slot->ready_ms = 0;
	slot->pressed = 0;
	slot->pid = 0;
}

uint64_t
metrics_sum(enum metric m)
{
	uint64_t sum = 0, v;

	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		v = board->slots[i].metric[m];
		if (metric_table[m].type == MAX)
			sum = v > sum ? v : sum;
		else
			sum += v;
	}
	return sum;
}

unsigned
metrics_live(enum pool pool, bool ready_only)
{
	unsigned n = 0;

	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		n += board->slots[i].pid != 0 &&
		    board->slots[i].pool == (int32_t)pool &&
		    (!ready_only || board->slots[i].ready_ms != 0);
	return n;
}

static void
print_metrics(FILE *out)
{
	static const char *const types[] = { "counter", "gauge", "gauge" };

	for (unsigned m = 0; m < METRIC__MAX; m++)
		fprintf(out, "# HELP %s %s.\n# TYPE %s %s\n%s %llu\n",
		    metric_table[m].name, metric_table[m].help,
		    metric_table[m].name, types[metric_table[m].type],
		    metric_table[m].name,
		    (unsigned long long)metrics_sum((enum metric)m));
}

static uint64_t
outcome_sum(enum pool pool, enum outcome out)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < METRICS_SLOTS; i++)
		if (board->slots[i].pool == (int32_t)pool)
			sum += board->slots[i].outcome[out];
	return sum;
}

static void
print_outcomes(FILE *out)
{
	fputs("# HELP stripehook_requests_total Requests answered, by "
	    "outcome.\n# TYPE stripehook_requests_total counter\n", out);
	for (unsigned p = POOL_INGEST; p < POOL__MAX; p++)
		for (unsigned o = 0; o < OUT__MAX; o++)
			fprintf(out, "stripehook_requests_total{pool=\"%s\","
			    "outcome=\"%s\",status=\"%d\"} %llu\n",
			    pool_names[p], outcome_table[o].code,
			    outcome_table[o].http, (unsigned long long)
			    outcome_sum((enum pool)p, (enum outcome)o));
	fputs("# HELP stripehook_verification_failures_total Deliveries "
	    "refused for their signature, by reason.\n"
	    "# TYPE stripehook_verification_failures_total counter\n", out);
	for (unsigned o = OUT_NO_HEADER; o <= OUT_NO_PAYLOAD; o++)
		fprintf(out, "stripehook_verification_failures_total"
		    "{reason=\"%s\"} %llu\n", outcome_table[o].code,
		    (unsigned long long)outcome_sum(POOL_INGEST,
		    (enum outcome)o));
}

/* unit: how many of the value's units make one of the exported one. */
static void
print_hist(FILE *out, enum histogram h, const char *name, const char *help,
    double unit)
{
	unsigned long long sum = 0, count = 0, below = 0;

	fprintf(out, "# HELP %s %s.\n# TYPE %s histogram\n", name, help, name);
	for (unsigned b = 0; b < HIST_BUCKETS; b++) {
		for (unsigned i = 0; i < METRICS_SLOTS; i++)
			below += board->slots[i].hist[h].bucket[b];
		if (b < HIST_BUCKETS - 1)
			fprintf(out, "%s_bucket{le=\"%g\"} %llu\n", name,
			    (double)metrics_bound(h, b) / unit, below);
	}
	for (unsigned i = 0; i < METRICS_SLOTS; i++) {
		sum += board->slots[i].hist[h].sum;
		count += board->slots[i].hist[h].count;
	}
	/* Buckets and count are read at slightly different moments. */
	fprintf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n"
	    "%s_count %llu\n", name, below, name, (double)sum / unit, name,
	    below > count ? below : count);
}

static void
print_master(FILE *out)
{
	const struct metrics_master *m = &board->master;
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
		{ "stripehook_reloads_total", "Reloads done", m->reloads },
		{ "stripehook_reloads_failed_total",
		    "Reloads refused for bad settings", m->reloads_failed },
		{ "stripehook_worker_starts_total", "Workers started",
		    m->worker_starts },
		{ "stripehook_worker_deaths_total",
		    "Workers that died unasked", m->worker_deaths },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "# HELP %s %s.\n# TYPE %s counter\n%s %llu\n",
		    rows[i].name, rows[i].help, rows[i].name, rows[i].name,
		    (unsigned long long)rows[i].value);
	fprintf(out, "# HELP stripehook_start_time_seconds When the master "
	    "started (unix time).\n# TYPE stripehook_start_time_seconds "
	    "gauge\nstripehook_start_time_seconds %lld\n",
	    (long long)m->started);
	fputs("# HELP stripehook_workers Live workers, by pool.\n"
	    "# TYPE stripehook_workers gauge\n", out);
	for (unsigned p = POOL_INGEST; p < POOL__MAX; p++)
		fprintf(out, "stripehook_workers{pool=\"%s\"} %u\n",
		    pool_names[p], metrics_live((enum pool)p, false));
}

void
metrics_print(FILE *out)
{
	print_outcomes(out);
	print_metrics(out);
	print_hist(out, HIST_REQUEST, "stripehook_request_duration_seconds",
	    "From accepting a request to its answer", 1e6);
	print_hist(out, HIST_COMMIT, "stripehook_commit_duration_seconds",
	    "Of a batch's transaction, retries included", 1e6);
	print_hist(out, HIST_BATCH, "stripehook_batch_events",
	    "Events in a batch", 1);
	print_master(out);
}
