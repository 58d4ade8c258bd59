/*
 * Events when memory runs out, at every point of their way to rows: what
 * becomes of one is whole, or the process ends and Stripe sends it again.
 */
#include <fcntl.h>
#include <malloc.h>
#include <obstack.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/config.h"
#include "base/mem.h"
#include "stripe/event.h"
#include "stripe/mapping.h"
#include "suite.h"

enum { STEPS = 100 };

/* How a process exits; what has no memory for an obstack exits with 1. */
enum { WHOLE = 0, OTHER = 2 };

/* The sanitizer's memory can't be limited. */
#ifdef __SANITIZE_ADDRESS__
enum { LIMITED = 0 };
#else
enum { LIMITED = 1 };
#endif

static char *keys[] = { "user_id" };
static const struct strings user_keys = { keys, 1 };

static const struct shape {
	int keys, length;	/* of metadata, and how long each value is */
	int items;
	size_t parse, map;	/* bytes that surely do */
} shapes[] = {
	{ 0, 1, 1, 256 << 10, 32 << 10 },
	{ 50, 500, 20, 4 << 20, 256 << 10 },
	{ 4000, 5, 1, 16 << 20, 512 << 10 },	/* large tables of names */
	{ 1, 40000, 1, 4 << 20, 256 << 10 },	/* a large string */
};

static size_t
write_event(char **text, const struct shape *s)
{
	size_t len;
	FILE *out = open_memstream(text, &len);

	fputs("{\"id\":\"evt_1\",\"object\":\"event\",\"data\":{\"object\":{"
	    "\"id\":\"sub_1\",\"object\":\"subscription\",\"customer\":"
	    "\"cus_1\",\"status\":\"active\",\"metadata\":{", out);
	for (int i = 0; i < s->keys; i++)
		fprintf(out, "\"key%d\":\"%0*d\",", i, s->length, i);
	fputs("\"user_id\":7},\"items\":{\"data\":[", out);
	for (int i = 0; i < s->items; i++)
		fprintf(out, "%s{\"id\":\"si_%d\",\"quantity\":%d,\"price\":"
		    "{\"id\":\"price_%d\",\"object\":\"price\",\"currency\":"
		    "\"usd\",\"created\":1700000000}}", i > 0 ? "," : "", i, i,
		    i);
	fputs("]},\"created\":1700000000}},\"livemode\":false,\"created\":"
	    "1700000000,\"type\":\"customer.subscription.created\"}", out);
	fclose(out);
	return len;
}

/* A number that tells rows from others, or 0 if there are none. */
static uint64_t
digest(const struct rows *rows)
{
	uint64_t d = 0;

	for (size_t r = 0; r < rows->n; r++)
		for (size_t c = 0; c < rows->row[r].table->ncols; c++) {
			const struct value *v = &rows->row[r].values[c];

			d = 31 * d + v->type + (uint64_t)v->i;
			for (size_t i = 0; i < v->len; i++)
				d = 31 * d + (unsigned char)v->s[i];
		}
	return d;
}

/* Leaves no memory but p; a compiler must not see that none of it is used. */
static void
leave(void *p)
{
	const struct rlimit none = { 0, 0 };
	void *volatile kept;

	setrlimit(RLIMIT_AS, &none);
	for (size_t size = 1 << 20; size >= 16; size /= 2)
		do
			kept = malloc(size);
		while (kept != NULL);
	free(p);
}

/*
 * Makes the event into rows with so many bytes of memory for that, or for what
 * follows its parsing. Returns their digest.
 */
static uint64_t
make_rows(const char *text, size_t len, size_t room, bool parsed)
{
	struct obstack mem;
	struct event ev;
	struct rows rows;
	const char *why;
	void *p;

	/* Else what is freed may be the kernel's again. */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	p = malloc(room);
	obstack_init(&mem);
	if (!parsed)
		leave(p);
	if (event_parse(&ev, &mem, text, len, &why) != OUT_OK)
		return 0;
	if (parsed)
		leave(p);
	return mapping_apply(&rows, &mem, &ev, &user_keys) == OUT_OK ?
	    digest(&rows) : 0;
}

/* The same in a process of its own; returns its wait status. */
static int
run_with(size_t room, bool parsed, const char *text, size_t len,
    uint64_t expected)
{
	const struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &none);
		_exit(make_rows(text, len, room, parsed) == expected ? WHOLE :
		    OTHER);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(exhausted)
{
	mem_exhausted();
}
END_TEST

START_TEST(memory)
{
	const struct shape *s = &shapes[_i / 2];
	bool parsed = _i % 2;
	size_t room = parsed ? s->map : s->parse, len;
	int ended = 0, status = 0;
	struct obstack mem;
	struct event ev;
	struct rows rows;
	const char *why;
	uint64_t d;
	char *text;

	obstack_init(&mem);
	len = write_event(&text, s);
	ck_assert_int_eq(event_parse(&ev, &mem, text, len, &why), OUT_OK);
	ck_assert_int_eq(mapping_apply(&rows, &mem, &ev, &user_keys), OUT_OK);
	d = digest(&rows);
	for (size_t i = 0; i <= STEPS; i++) {
		status = run_with(room * i / STEPS, parsed, text, len, d);
		ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) !=
		    OTHER, "with %zu bytes it becomes other rows",
		    room * i / STEPS);
		ended += status != 0;
	}
	ck_assert_int_gt(ended, 0);
	ck_assert_int_eq(status, 0);
	event_drop_json(&ev);
	obstack_free(&mem, NULL);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("memory");
	TCase *tc = tcase_create("memory");

	tcase_add_test_raise_signal(tc, exhausted, SIGABRT);
	tcase_add_loop_test(tc, memory, 0,
	    LIMITED * 2 * (int)(sizeof(shapes) / sizeof(shapes[0])));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
