/* Moments as a user of the tool writes and reads them. All are UTC. */
#ifndef CTL_CTL_TIME_H
#define CTL_CTL_TIME_H

#include <stdint.h>

/*
 * Reads unix seconds, an ISO 8601 date or time ("2026-03-01",
 * "2026-03-01T12:30:00Z"), or an age ("90s", "15m", "2h", "3d"), into
 * microseconds since the epoch. Returns 0, or -1 if it is none of these.
 */
int time_parse(const char *text, int64_t now_us, int64_t *us)
    __attribute__((warn_unused_result));

/* As above; what is wrong is said on standard error, with the option's name. */
int time_option(const char *option, const char *text, int64_t *us)
    __attribute__((warn_unused_result));

enum { TIME_TEXT = 32 };

/* "2026-03-01 12:30:00" */
void time_print(char out[TIME_TEXT], int64_t us);

/* "2026-03-01T12:30:00.000000Z" */
void time_print_iso(char out[TIME_TEXT], int64_t us);

#endif
