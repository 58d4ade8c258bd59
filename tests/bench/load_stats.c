/* Latencies, statuses and their course in time, of the load generator. */
#include <string.h>
#include <sys/resource.h>

#include "load.h"

enum {
	SUB_BITS = 6,		/* buckets differ by 1/64 at most */
	BUCKETS = (33 - SUB_BITS) << SUB_BITS,
	SERIES_MS = 250,	/* a point of the course */
	SERIES_MAX = 16384
};

enum kind { STORED, REFUSED, OTHER, KINDS };
static const char *const kind_name[KINDS] = { "ok", "refused", "other" };

/* From when it was due, and from when it was sent. */
static struct histogram {
	long n;
	uint32_t max, bucket[BUCKETS];
} due[KINDS], sent[KINDS];
static long by_status[600], total, total_ever, ok_ever;
static uint32_t series[SERIES_MAX][KINDS];
static int64_t start;

static unsigned
bucket_of(uint32_t us)
{
	unsigned shift = us >> SUB_BITS == 0 ? 0 :
	    (unsigned)(31 - SUB_BITS + 1 - __builtin_clz(us));

	return (shift << SUB_BITS) + (us >> shift);
}

/* The middle of a bucket. */
static uint32_t
bucket_value(unsigned b)
{
	unsigned shift = b >> SUB_BITS;

	return (uint32_t)((b - (shift << SUB_BITS)) << shift) +
	    ((1U << shift) >> 1);
}

static void
observe(struct histogram *h, int64_t us)
{
	uint32_t v = us < 0 ? 0 : us > INT32_MAX ? INT32_MAX : (uint32_t)us;

	h->bucket[bucket_of(v)]++;
	h->n++;
	if (v > h->max)
		h->max = v;
}

/* The quantile, in thousandths, of all histograms from h to end. */
static uint32_t
quantile(const struct histogram *h, const struct histogram *end, long mille)
{
	long n = 0, seen = 0, want;

	for (const struct histogram *i = h; i < end; i++)
		n += i->n;
	want = (n * mille + 999) / 1000;
	for (unsigned b = 0; b < BUCKETS; b++) {
		for (const struct histogram *i = h; i < end; i++)
			seen += i->bucket[b];
		if (seen >= want)
			return n == 0 ? 0 : bucket_value(b);
	}
	return 0;
}

void
load_stats_reset(int64_t now_us)
{
	memset(due, 0, sizeof(due));
	memset(sent, 0, sizeof(sent));
	memset(by_status, 0, sizeof(by_status));
	memset(series, 0, sizeof(series));
	total = 0;
	start = now_us;
}

static enum kind
kind_of(int status)
{
	return status / 100 == 2 ? STORED :
	    status == 503 || status == 429 ? REFUSED : OTHER;
}

void
load_stats_ever(int status)
{
	total_ever++;
	ok_ever += kind_of(status) == STORED;
}

void
load_stats_count(int status, int64_t due_us, int64_t sent_us, int64_t now_us)
{
	enum kind k = kind_of(status);
	int64_t at = (now_us - start) / (SERIES_MS * 1000);

	total++;
	by_status[status]++;
	observe(&due[k], now_us - due_us);
	observe(&sent[k], now_us - sent_us);
	if (at >= 0 && at < SERIES_MAX)
		series[at][k]++;
}

long
load_stats_ok(void)
{
	return due[STORED].n;
}

static void
print_kind(FILE *out, enum kind k)
{
	const struct histogram *d = &due[k], *s = &sent[k];

	fprintf(out, ",\"%s\":{\"n\":%ld,\"p50_us\":%u,\"p99_us\":%u,"
	    "\"max_us\":%u,\"sent_p50_us\":%u,\"sent_p99_us\":%u}",
	    kind_name[k], d->n, quantile(d, d + 1, 500),
	    quantile(d, d + 1, 990), d->max, quantile(s, s + 1, 500),
	    quantile(s, s + 1, 990));
}

static void
print_series(FILE *out, int64_t us)
{
	int64_t n = us / (SERIES_MS * 1000);

	fprintf(out, ",\"series_ms\":%d,\"series\":[", SERIES_MS);
	for (int64_t i = 0; i < n && i < SERIES_MAX; i++)
		fprintf(out, "%s[%u,%u,%u]", i > 0 ? "," : "",
		    series[i][STORED], series[i][REFUSED], series[i][OTHER]);
	fputc(']', out);
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void
load_stats_report(FILE *out, const struct load_options *opt, int64_t now_us)
{
	double took = (double)(now_us - start) / 1e6;
	const char *comma = "";
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	fprintf(out, "{\"events\":%ld,\"answers\":%ld,\"answers_ever\":%ld,"
	    "\"ok_ever\":%ld,\"errors\":%ld,\"seconds\":%.3f,\"rate\":%.1f,\"ok_rate\":%.1f,"
	    "\"cpu_seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u",
	    opt->count, total, total_ever, ok_ever, by_status[0], took,
	    (double)total / took, (double)due[STORED].n / took,
	    seconds(use.ru_utime) + seconds(use.ru_stime),
	    quantile(due, due + KINDS, 500), quantile(due, due + KINDS, 990));
	for (enum kind k = 0; k < KINDS; k++)
		print_kind(out, k);
	fputs(",\"status\":{", out);
	for (int s = 0; s < 600; s++)
		if (by_status[s] > 0) {
			fprintf(out, "%s\"%d\":%ld", comma, s, by_status[s]);
			comma = ",";
		}
	fputc('}', out);
	print_series(out, now_us - start);
	fputs("}\n", out);
}
